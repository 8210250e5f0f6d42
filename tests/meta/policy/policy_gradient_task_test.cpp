#include "meta/policy/policy_gradient_task.h"

#include <cmath>

#include "base/error.h"
#include "meta/algorithms/meta_sgd.h"
#include "meta/gradient_method.h"
#include "meta/meta_objective.h"
#include "meta/policy/policy_meta_problem.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/meta_gradient.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

EnvironmentSpec point_spec(ActionKind kind = ActionKind::kContinuous, int64_t observations = 2,
                           int64_t actions = 2) {
  EnvironmentSpec spec;
  spec.name = "point";
  spec.observation_size = observations;
  spec.action_kind = kind;
  spec.action_size = actions;
  spec.horizon = 10;
  return spec;
}

std::unique_ptr<Policy> small_policy(const std::string& name, std::vector<int64_t> hidden = {4, 3}) {
  PolicyConfig config;
  config.name = name;
  config.hidden = std::move(hidden);
  config.activation = "tanh";
  if (name == "gaussian_mlp") config.own.set("initial_std", "0.7");
  return make_policy(
      config, point_spec(name == "categorical_mlp" ? ActionKind::kDiscrete : ActionKind::kContinuous, 2,
                         name == "categorical_mlp" ? 3 : 2));
}

Params small_parameters(const Policy& policy, uint64_t seed = 4) {
  Stream stream(StreamKey{seed, Purpose::kTest});
  const Params initial = policy.initial(stream).to(torch::kFloat64);
  return initial + 0.1 * normal_like(initial, seed + 1);
}

// Steps of T tasks with advantages, two trajectories a task.
RecordedSteps steps(const std::string& policy, int64_t tasks, int64_t count, uint64_t seed) {
  Stream stream(StreamKey{seed, Purpose::kTest});
  const auto draw = [&](std::vector<int64_t> shape) {
    Tensor out = torch::empty(shape, torch::kFloat64);
    for (int64_t i = 0; i < out.numel(); ++i) out.view(-1)[i] = stream.normal();
    return out;
  };
  RecordedSteps data;
  data.observations = draw({tasks, count, 2});
  data.actions = draw({tasks, count, 2});
  if (policy == "categorical_mlp") {
    data.actions = torch::empty({tasks, count, 1}, torch::kFloat64);
    for (int64_t i = 0; i < tasks * count; ++i)
      data.actions.view(-1)[i] = static_cast<double>(stream.below(3));
  }
  data.advantages = 0.3 * draw({tasks, count});
  data.rewards = 0.1 * draw({tasks, count});
  data.steps = torch::full({tasks}, static_cast<double>(count), torch::kFloat64);
  for (int64_t t = 0; t < tasks; ++t) data.lengths.insert(data.lengths.end(), {2, count - 2});
  return data;
}

// K recorded support steps, each at the parameters adapted so far, and the query step at phi_K.
struct Recorded {
  std::unique_ptr<Policy> policy;
  Params meta;
  std::unique_ptr<GradientMethod> method;
  std::vector<RecordedChunk> chunks;
};

// MAML or, with "per_parameter", Meta-SGD.
std::unique_ptr<GradientMethod> make_method(const Policy& policy, const InnerLoopConfig& config,
                                            const std::string& rule) {
  Parts parts;
  if (rule == "per_parameter") parts.rule = per_parameter_step(config.step_size);
  return std::make_unique<GradientMethod>(
      parts,
      MethodContext{.inner = config, .initial = [&policy](Stream&) { return small_parameters(policy); }});
}

Recorded record(const std::string& name, InnerEstimator estimator, InnerLoopConfig config,
                const std::string& rule = "fixed", int64_t tasks = 2) {
  Recorded out;
  out.policy = small_policy(name);
  out.method = make_method(*out.policy, config, rule);
  Stream stream(StreamKey{});
  out.meta = out.method->initial(stream);
  out.chunks.resize(2);
  for (size_t c = 0; c < 2; ++c) {
    auto& chunk = out.chunks[c];
    chunk.task = std::make_unique<PolicyGradientTask>(*out.policy, estimator);
    chunk.view = out.method->view(*chunk.task, chunk.now);
    chunk.adaptation = out.method->inner().start(out.meta, tasks);
    for (int64_t k = 0; k <= config.steps; ++k) {
      chunk.task->record(steps(name, tasks, 6, 100 * c + static_cast<uint64_t>(k)),
                         chunk.adaptation.adapted());
      if (k < config.steps) out.method->inner().advance(chunk.adaptation, *chunk.view);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("the RL meta-gradient equals finite differences through one and three inner steps", "[meta][rl]") {
  const auto name = GENERATE(std::string("gaussian_mlp"), std::string("categorical_mlp"));
  const auto estimator =
      GENERATE(InnerEstimator::kLogLikelihood, InnerEstimator::kLikelihoodRatio, InnerEstimator::kDice);
  const auto inner_steps = GENERATE(int64_t{1}, int64_t{3});
  const auto rule = GENERATE(std::string("fixed"), std::string("per_parameter"));
  auto recorded = record(name, estimator, {.steps = inner_steps, .step_size = 0.2}, rule);
  ThreadPool pool(2, Executor::prepare_thread);
  const Executor executor(pool);
  PolicyMetaProblem problem(*recorded.method, executor, recorded.meta, recorded.chunks);

  const auto loss = [&](const Params& p) { return problem.value(p).loss; };
  CHECK(distance(problem.gradient(recorded.meta), finite_difference(loss, recorded.meta)) < 2e-6);
  const Params elsewhere =
      recorded.meta + 0.05 * normal_like(recorded.meta, 9);  // where pi / pi_old is not one
  const Params numeric = finite_difference(loss, elsewhere);
  CHECK(distance(problem.gradient(elsewhere), numeric) < 2e-6);

  // The second-order terms are there, and dropping them is a different gradient.
  const auto first_order =
      make_method(*recorded.policy, {.steps = inner_steps, .step_size = 0.2, .first_order = true}, rule);
  PolicyMetaProblem dropped(*first_order, executor, recorded.meta, recorded.chunks);
  CHECK(distance(dropped.gradient(elsewhere), numeric) > 1e-4);
}

TEST_CASE("a bandit of one parameter tells the inner estimators apart by their second derivatives",
          "[meta][rl]") {
  // pi(1) = sigma(x) = 3/4; every trajectory as often as it is likely, so that means are expectations.
  PolicyConfig config;
  config.name = "categorical_mlp";
  config.hidden = {};
  const auto policy = make_policy(config, point_spec(ActionKind::kDiscrete, 1, 2));
  const auto f64 = torch::kFloat64;
  const Params phi({{"layer0.weight", torch::zeros({1, 2, 1}, f64)},
                    {"layer0.bias", torch::tensor({0.0, std::log(3.0)}, f64).view({1, 2})}});
  const Params along_x({{"layer0.weight", torch::zeros({1, 2, 1}, f64)},
                        {"layer0.bias", torch::tensor({0.0, 1.0}, f64).view({1, 2})}});
  const auto expected = [&](int horizon) {
    RecordedSteps data;
    std::vector<double> actions, advantages, rewards;
    const auto add = [&](std::vector<int> trajectory, int times) {
      double product = 1;
      for (const int action : trajectory) product *= action;  // the reward, in the last step
      for (int i = 0; i < times; ++i) {
        data.lengths.push_back(horizon);
        for (int t = 0; t < horizon; ++t) {
          actions.push_back(trajectory[static_cast<size_t>(t)]);
          advantages.push_back(product);
          rewards.push_back(t + 1 == horizon ? product : 0);
        }
      }
    };
    if (horizon == 1) {
      add({1}, 3), add({0}, 1);
    } else {
      add({1, 1}, 9), add({1, 0}, 3), add({0, 1}, 3), add({0, 0}, 1);
    }
    const auto count = static_cast<int64_t>(actions.size());
    data.observations = torch::zeros({1, count, 1}, f64);
    data.actions = torch::tensor(actions, f64).view({1, count, 1});
    data.advantages = torch::tensor(advantages, f64).view({1, count});
    data.rewards = torch::tensor(rewards, f64).view({1, count});
    data.steps = torch::full({1}, static_cast<double>(count), f64);
    return data;
  };
  const auto derivatives = [&](InnerEstimator estimator, int horizon) {
    PolicyGradientTask task(*policy, estimator);
    task.record(expected(horizon), phi);
    const auto loss = task.loss_at(Part::kSupport, phi, 0);
    const auto of_x = [&](const Params& p) { return -horizon * p.at("layer0.bias")[0][1].item<double>(); };
    return std::pair{of_x(loss->gradient()), of_x(loss->hessian_product(along_x))};
  };
  struct Row {
    InnerEstimator estimator;
    double one, two;  // second derivative at horizon 1 and 2
  };
  // Exact: J' = 0.1875, J'' = -0.09375; at horizon 2 0.28125 and -0.0703125.
  for (const auto& [estimator, one, two] : {Row{InnerEstimator::kLogLikelihood, -0.140625, -0.2109375},
                                            Row{InnerEstimator::kLikelihoodRatio, -0.09375, -0.140625},
                                            Row{InnerEstimator::kDice, -0.09375, -0.0703125}}) {
    CHECK(derivatives(estimator, 1).first == Approx(0.1875));
    CHECK(derivatives(estimator, 2).first == Approx(0.28125));
    CHECK(derivatives(estimator, 1).second == Approx(one));
    CHECK(derivatives(estimator, 2).second == Approx(two));
  }
}

TEST_CASE("the two inner estimators share their gradient where they were recorded, not their Hessian",
          "[meta][rl]") {
  const auto policy = small_policy("gaussian_mlp");
  const Params phi = small_parameters(*policy).expanded(2);
  PolicyGradientTask log_likelihood(*policy, InnerEstimator::kLogLikelihood);
  PolicyGradientTask ratio(*policy, InnerEstimator::kLikelihoodRatio);
  for (auto* task : {&log_likelihood, &ratio}) task->record(steps("gaussian_mlp", 2, 6, 3), phi);
  const auto a = log_likelihood.loss_at(Part::kSupport, phi, 0), b = ratio.loss_at(Part::kSupport, phi, 0);
  CHECK(distance(a->gradient(), b->gradient()) < 1e-12);
  const Params v = normal_like(phi, 8);
  CHECK(distance(a->hessian_product(v), b->hessian_product(v)) > 1e-2);
}

TEST_CASE("kernel losses equal autograd of the same functions, value, gradient and curvature", "[meta][rl]") {
  const auto name = GENERATE(std::string("gaussian_mlp"), std::string("categorical_mlp"));
  const auto estimator =
      GENERATE(InnerEstimator::kLogLikelihood, InnerEstimator::kLikelihoodRatio, InnerEstimator::kDice);
  const auto policy = small_policy(name);
  const Params phi =
      small_parameters(*policy).expanded(3) + normal_like(small_parameters(*policy).expanded(3), 21);
  PolicyGradientTask task(*policy, estimator);
  task.record(steps(name, 3, 6, 5), small_parameters(*policy).expanded(3));
  const auto check = [&](LossAt& fast, LossAt& reference) {
    CHECK(torch::allclose(fast.loss(), reference.loss(), 1e-12));
    CHECK(distance(fast.gradient(), reference.gradient()) < 1e-11);
    // The first product goes through autograd, the later ones over second derivatives kept per sample.
    for (uint64_t product = 0; product < 3; ++product) {
      const Params v = normal_like(phi, 22 + product);
      CHECK(distance(fast.hessian_product(v), reference.hessian_product(v)) < 1e-10);
      CHECK(largest(reference.hessian_product(v)) > 1e-2);
    }
  };
  check(*task.loss_at(Part::kSupport, phi, 0), *task.Task::loss_at(Part::kSupport, phi, 0));
  check(*task.loss_at(Part::kQuery, phi, 0), *task.Task::loss_at(Part::kQuery, phi, 0));
}

TEST_CASE("the Fisher product equals differences of the KL's gradient through the inner loop", "[meta][rl]") {
  const auto name = GENERATE(std::string("gaussian_mlp"), std::string("categorical_mlp"));
  const auto inner_steps = GENERATE(int64_t{0}, int64_t{1}, int64_t{3});
  auto recorded = record(name, InnerEstimator::kLogLikelihood, {.steps = inner_steps, .step_size = 0.3});
  ThreadPool pool(1, Executor::prepare_thread);
  const Executor executor(pool);
  PolicyMetaProblem problem(*recorded.method, executor, recorded.meta, recorded.chunks);
  const Params v = normal_like(recorded.meta, 10);

  // d/de grad KL(theta + e v) at e = 0, the KL's gradient itself by differences of its value.
  const auto kl = [&](const Params& p) { return problem.value(p).kl; };
  const double epsilon = 1e-4;
  const auto gradient = [&](double e) { return finite_difference(kl, recorded.meta + e * v, 1e-4); };
  const Params numeric = (0.5 / epsilon) * (gradient(epsilon) - gradient(-epsilon));
  const Params product = problem.fisher_product(v);
  CHECK(distance(product, numeric) < 2e-5 * std::max(1.0, largest(product)));
  CHECK(largest(product) > 1e-2);
  for (int repeat = 0; repeat < 2; ++repeat) CHECK(distance(problem.fisher_product(v), product) < 1e-12);
  CHECK(problem.value(recorded.meta).kl == Approx(0).margin(1e-14));

  // At first order J = I: the Fisher matrix of the adapted policy itself.
  auto chunks = record(name, InnerEstimator::kLogLikelihood,
                       {.steps = inner_steps, .step_size = 0.3, .first_order = true});
  PolicyMetaProblem identity(*chunks.method, executor, chunks.meta, chunks.chunks);
  if (inner_steps > 0) CHECK(distance(identity.fisher_product(v), product) > 1e-3);
}

TEST_CASE("a linear policy on one recorded step has the meta-gradient worked out by hand", "[meta][rl]") {
  // mu = w s + b, log-std l. Support step (s, a, A), query step (s2, a2, A2), one inner step of size alpha:
  //   phi = theta + alpha A grad log pi(a),  J = -A2 pi_phi(a2) / pi_old(a2).
  PolicyConfig config;
  config.hidden = {};
  const auto policy = make_policy(config, point_spec(ActionKind::kContinuous, 1, 1));
  const double s = 0.8, a = 1.1, advantage = 1.4, s2 = -0.5, a2 = 0.3, advantage2 = -0.7, alpha = 0.2;
  const double w = 0.4, b = -0.1, l = -0.3;
  const auto f64 = torch::kFloat64;
  const Params theta({{"layer0.weight", torch::full({1, 1, 1}, w, f64)},
                      {"layer0.bias", torch::full({1, 1}, b, f64)},
                      {"log_std", torch::full({1, 1}, l, f64)}});
  const auto one = [&](double observation, double action, double adv) {
    RecordedSteps data;
    data.observations = torch::full({1, 1, 1}, observation, f64);
    data.actions = torch::full({1, 1, 1}, action, f64);
    data.advantages = torch::full({1, 1}, adv, f64);
    data.steps = torch::ones({1}, f64);
    data.lengths = {1};
    return data;
  };
  const InnerLoop inner({.steps = 1, .step_size = alpha}, theta);
  PolicyGradientTask task(*policy, InnerEstimator::kLogLikelihood);
  task.record(one(s, a, advantage), theta);
  task.record(one(s2, a2, advantage2), theta);  // pi_old of the query is theta's: the ratio is not one
  const auto result = meta_gradient(inner, LastStepObjective(), theta, task);

  const double variance = std::exp(2 * l), e = a - (w * s + b);
  const double step = alpha * advantage;
  const double w1 = w + step * e * s / variance, b1 = b + step * e / variance,
               l1 = l + step * (e * e / variance - 1);
  const auto log_density = [&](double x, double mean, double log_std) {
    const double z = (x - mean) / std::exp(log_std);
    return -0.5 * z * z - log_std;
  };
  const double e1 = a2 - (w1 * s2 + b1), variance1 = std::exp(2 * l1);
  const double ratio = std::exp(log_density(a2, w1 * s2 + b1, l1) - log_density(a2, w * s2 + b, l));
  CHECK(result.loss.item<double>() == Approx(-advantage2 * ratio));

  const double scale = -advantage2 * ratio;  // dJ/dphi = scale * grad log pi_phi(a2)
  const double gw = scale * e1 * s2 / variance1, gb = scale * e1 / variance1,
               gl = scale * (e1 * e1 / variance1 - 1);
  // J^T g with J = I + step * Hessian of log pi(a), which is symmetric.
  const double hww = -s * s / variance, hwb = -s / variance, hwl = -2 * e * s / variance;
  const double hbb = -1 / variance, hbl = -2 * e / variance, hll = -2 * e * e / variance;
  CHECK(result.gradient.at("layer0.weight").item<double>() ==
        Approx(gw + step * (hww * gw + hwb * gb + hwl * gl)));
  CHECK(result.gradient.at("layer0.bias").item<double>() ==
        Approx(gb + step * (hwb * gw + hbb * gb + hbl * gl)));
  CHECK(result.gradient.at("log_std").item<double>() == Approx(gl + step * (hwl * gw + hbl * gb + hll * gl)));
}

TEST_CASE("recorded steps keep where their trajectories end", "[meta][rl]") {
  const auto policy = small_policy("gaussian_mlp");
  const Params phi = small_parameters(*policy).expanded(2);
  PolicyGradientTask task(*policy, InnerEstimator::kLikelihoodRatio);
  task.record(steps("gaussian_mlp", 2, 6, 30), phi);
  CHECK(task.data(0).lengths == std::vector<int64_t>{2, 4, 2, 4});
  auto missing = steps("gaussian_mlp", 2, 6, 30);
  missing.lengths.pop_back();
  CHECK_THROWS_WITH(task.record(missing, phi), contains("trajectories of 8 steps") && contains("[2, 6, 2]"));
}

TEST_CASE("entries of phi that the policy does not read have zero derivatives", "[meta][rl]") {
  const auto policy = small_policy("gaussian_mlp");
  const Params phi = small_parameters(*policy);
  PolicyGradientTask task(*policy, InnerEstimator::kLogLikelihood);
  task.record(steps("gaussian_mlp", 1, 6, 30), phi);
  const Params psi({{"psi", torch::ones({1, 3}, torch::kFloat64)}});
  const auto plain = task.loss_at(Part::kSupport, phi, 0),
             more = task.loss_at(Part::kSupport, phi.joined(psi), 0);
  CHECK(identical(more->gradient(), plain->gradient().joined(psi.zeros_like())));
  const Params v = normal_like(phi, 31);
  for (int product = 0; product < 3; ++product) {
    CHECK(
        identical(more->hessian_product(v.joined(psi)), plain->hessian_product(v).joined(psi.zeros_like())));
  }
}

TEST_CASE("an unknown inner estimator is refused with the known names", "[meta][rl]") {
  CHECK_THROWS_WITH(parse_inner_estimator("loglikelihood"), contains("did you mean 'log_likelihood'?"));
}
