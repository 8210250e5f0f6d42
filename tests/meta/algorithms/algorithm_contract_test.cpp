// What every algorithm of the table keeps, on the sides that it knows.
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "base/error.h"
#include "datasets/dataset.h"
#include "datasets/domains.h"
#include "meta/algorithms/registry.h"
#include "meta/gradient_method.h"
#include "meta/policy/policy_gradient_task.h"
#include "meta/policy/policy_learner.h"
#include "meta/supervised/supervised_meta_learner.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/contract_data.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Algorithms without a gradient that a trust region could bound.
bool needs_descent(const Algorithm& algorithm) { return algorithm.name == "es_maml"; }

// Own keys of algorithms whose defaults are too much for a test.
const std::map<std::string, Texts> kSmaller{
    {"cdt", {{"embedding", 5}, {"scale", 3}}},
    {"contrastive", {{"images", 6}, {"projector", 5}}},
    {"cosface", {{"embedding", 5}, {"scale", 8}}},
    {"mann", {{"hidden", 12}, {"slots", 9}, {"size", 5}, {"reads", 2}}},
    {"mfr", {{"embedding", 5}, {"scale", 3}}},
    // Of more pairs two samples have nearly the same features, so that |h(x1) - h(x2)| switches in a
    // difference.
    {"siamese", {{"units", 8}, {"pairs", 3}}},
    {"triplet", {{"embedding", 5}}},
    {"tsa_maml", {{"groups", 3}, {"solutions", 12}, {"assign_steps", 2}, {"restarts", 1}}}};

// What learns in a way of its own where classes belong to domains.
const std::set<std::string> kOfDomains{"cdt", "cosface", "mfr", "triplet"};

SupervisedMetaConfig with_prescribed(SupervisedMetaConfig config, const Algorithm& algorithm) {
  if (kSmaller.count(algorithm.name) != 0) config.algorithm.own = kSmaller.at(algorithm.name);
  apply_algorithm(algorithm.name, config);
  return config;
}

SupervisedMetaConfig sine(const Algorithm& algorithm) {
  SupervisedMetaConfig config;
  config.inner = {.steps = 2, .step_size = 0.01};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 30;  // chunks of several tasks, the last smaller
  config.shape = {.ways = 1, .shots = 5, .queries = 5};
  config.network = {.name = "mlp", .own = {{"hidden", "8,8"}}};
  return with_prescribed(config, algorithm);
}

SupervisedMetaConfig strokes(const Algorithm& algorithm) {
  SupervisedMetaConfig config;
  config.dataset = {.name = "strokes", .own = {{"image_size", 14}}};
  config.shape = {.ways = 3, .shots = 2, .queries = 2};
  config.inner = {.steps = 2, .step_size = 0.1};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 5;
  config.network = {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 4}}};
  return with_prescribed(config, algorithm);
}

// Data with domains, three of the four of training in a step.
SupervisedMetaConfig styled(const Algorithm& algorithm) {
  SupervisedMetaConfig config = strokes(algorithm);
  config.dataset = {.name = "styled_strokes", .own = {{"image_size", 14}}};
  config.shape = {.ways = 4, .shots = 1, .queries = 1};
  config.meta_batch_size = 3;
  return config;
}

PolicyMetaConfig navigation(const Algorithm& algorithm) {
  PolicyMetaConfig config;
  config.environment.horizon = 12;
  if (algorithm.step == "episode") config.policy.name = "gaussian_gru";  // it adapts by remembering
  config.policy.hidden = {8, 8};
  config.sampler.trajectories = 5;
  config.inner.step_size = 0.5;
  config.meta_batch_size = 3;
  config.seed = 7;
  if (needs_descent(algorithm)) config.optimizer = {.name = "adam", .step_size = 0.01};
  apply_algorithm(algorithm.name, config);
  return config;
}

PolicyMetaConfig half_cheetah(const Algorithm& algorithm) {
  PolicyMetaConfig config = navigation(algorithm);
  config.environment.name = "half_cheetah_direction_rllab";
  config.inner.step_size = 0.1;
  return config;
}

// Categorical actions, and Adam where the algorithm leaves the choice.
PolicyMetaConfig choices(const Algorithm& algorithm) {
  PolicyMetaConfig config = navigation(algorithm);
  config.environment.name = "navigation_2d_discrete";
  config.policy.name = algorithm.name == "rl2" ? "categorical_gru" : "categorical_mlp";
  config.inner.steps = 2;
  config.optimizer = {.name = "adam", .step_size = 0.01};
  apply_algorithm(algorithm.name, config);
  return config;
}

// A method for small tasks in float64, or null if it does not know such tasks.
struct Small {
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<Method> method;
  EpisodeShape shape;
  Params meta;

  // Training tasks as the method draws them.
  EpisodeTask task(const Moment& now, int64_t tasks, BatchNormMode mode) const {
    const TaskSource source(*dataset, shape, now.seed);
    const auto wide = [](const Tensor& x) { return x.is_floating_point() ? x.to(torch::kFloat64) : x; };
    const auto as_tasks = [&](Episodes e) {
      return EpisodeTask(method->network(true),
                         {wide(e.support_x), wide(e.query_x), wide(e.support_y), wide(e.query_y)}, shape,
                         LossReduction::kMean, mode);
    };
    ThreadPool pool(1, &Executor::prepare_thread);
    method->prepare(meta, {source, Executor(pool), as_tasks}, now);
    return as_tasks(method->draw(source, now, tasks));
  }
};

Small small_method(const Algorithm& algorithm, const SupervisedMetaConfig& config,
                   const NetworkConfig& network, const std::vector<int64_t>& input, int64_t outputs,
                   bool domains = false) {
  Small out;
  out.shape = config.shape;
  out.dataset = std::make_unique<Noise>(input, input.size() == 3, domains);
  MethodContext context{.inner = config.inner,
                        .network = [=](int64_t n) { return make_network(network, input, n); },
                        .outputs = outputs,
                        .dataset = out.dataset.get(),
                        .shape = out.shape,
                        .tasks = 3};
  try {
    out.method = algorithm.method(config.algorithm.own, context);
  } catch (const UsageError&) {
    return out;  // it does not know such tasks
  }
  Stream stream(StreamKey{3, Purpose::kTest});
  const Params start = out.method->initial(stream).to(torch::kFloat64);
  out.meta = start + 0.05 * normal_like(start, 4);  // away from points of symmetry
  return out;
}

Tensor normal(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros(sizes, torch::kFloat64)}}), seed)[0];
}

// Differences along one direction of every entry: for algorithms with more numbers than can be moved one by
// one.
void check_along_entries(const std::function<double(const Params&)>& loss, const Params& gradient,
                         const Params& meta) {
  constexpr double e = 1e-7;  // small: rectified units of a learned loss must not switch on the way
  const Params direction = normal_like(meta, 5);
  const double scale = largest(gradient);
  CHECK(scale > 1e-6);
  for (const auto& entry : meta) {
    INFO(entry.name);
    const Tensor& d = direction.at(entry.name);
    const auto at = [&](double shift) {
      const Params moved = meta.cloned();
      moved.at(entry.name).add_(shift * d);
      return loss(moved);
    };
    const double difference = (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
    CHECK(std::abs((gradient.at(entry.name) * d).sum().item<double>() - difference) < 1e-6 * scale);
  }
}

void check_exact(const Small& small, const EpisodeTask& task, const Moment& now) {
  constexpr int64_t kMany = 300;
  const auto loss = [&](const Params& p) {
    return small.method->pass(p, task, now, false).loss.sum().item<double>();
  };
  const auto gradient = [&](const Params& p) { return small.method->pass(p, task, now, false).gradient; };
  if (small.meta.numel() > kMany) {
    check_along_entries(loss, gradient(small.meta), small.meta);
    return;
  }
  const auto found = check_gradient(loss, gradient, small.meta, 1e-5);
  INFO(found.text());
  CHECK(found.relative < 1e-6);
  CHECK(std::abs(found.difference) > 1e-6);
}

void same_bits_on_data_sets(const Algorithm& algorithm) {
  if (!algorithm.supervised()) return;
  int known = 0;
  std::vector<SupervisedMetaConfig> configs{sine(algorithm), strokes(algorithm)};
  if (kOfDomains.count(algorithm.name) != 0) configs.push_back(styled(algorithm));
  for (const auto& config : configs) {
    ThreadPool one(1, &Executor::prepare_thread);
    try {
      SupervisedMetaLearner(config, algorithm, shared(config.dataset), one);
    } catch (const UsageError&) {
      continue;  // it does not know such tasks
    }
    ++known;
    const auto run = [&](int threads, bool interrupted) {
      ThreadPool pool(threads, &Executor::prepare_thread);
      auto learner = std::make_unique<SupervisedMetaLearner>(config, algorithm, shared(config.dataset), pool);
      for (int64_t i = 0; i < 3; ++i) {
        learner->iterate(i, i == 1);
        if (!interrupted) continue;
        auto next = std::make_unique<SupervisedMetaLearner>(config, algorithm, shared(config.dataset), pool);
        next->restore(learner->meta_parameters(), learner->optimizer_state(), learner->method_state());
        learner = std::move(next);
      }
      return std::pair{learner->meta_parameters().cloned(), learner->evaluate({.tasks = 4, .steps = 2})};
    };
    const auto [meta, metrics] = run(1, false);
    for (const int threads : {2, 7}) {
      const auto [other, other_metrics] = run(threads, threads == 7);
      CHECK(identical(meta, other));
      CHECK(metrics == other_metrics);
    }
    SupervisedMetaLearner fresh(config, algorithm, shared(config.dataset), one);
    CHECK_FALSE(identical(meta, fresh.meta_parameters()));
    auto another = config;
    another.seed = 8;
    SupervisedMetaLearner other_seed(another, algorithm, shared(config.dataset), one);
    for (int64_t i = 0; i < 3; ++i) other_seed.iterate(i);
    CHECK_FALSE(identical(meta, other_seed.meta_parameters()));
  }
  CHECK(known > 0);
}

void same_bits_with_policies(const Algorithm& algorithm) {
  if (!algorithm.policies()) return;
  for (const auto& config : {navigation(algorithm), half_cheetah(algorithm), choices(algorithm)}) {
    const auto run = [&](int threads, bool interrupted) {
      ThreadPool pool(threads, Executor::prepare_thread);
      auto learner = make_policy_learner(config, algorithm, pool);
      for (int64_t i = 0; i < 3; ++i) {
        learner->iterate(i);
        if (!interrupted) continue;
        auto next = make_policy_learner(config, algorithm, pool);
        next->restore(learner->meta_parameters(), learner->optimizer_state(), learner->method_state());
        learner = std::move(next);
      }
      const auto evaluation = learner->evaluate({.tasks = 3, .steps = 2, .trajectories = 4});
      return std::pair{learner->meta_parameters().cloned(), evaluation.tasks[1].returns[2]};
    };
    const auto [meta, value] = run(1, false);
    for (const int threads : {2, 7}) {
      const auto [other, other_value] = run(threads, threads == 7);
      CHECK(identical(meta, other));
      CHECK(value == other_value);
    }
    ThreadPool pool(1, Executor::prepare_thread);
    CHECK_FALSE(identical(meta, make_policy_learner(config, algorithm, pool)->meta_parameters()));
  }
}

void exact_on_episodes(const Algorithm& algorithm) {
  if (!algorithm.supervised() || !algorithm.exact) return;
  int known = 0;
  const int64_t iteration = algorithm.exact_from;
  auto config = sine(algorithm);
  config.shape = {.ways = 1, .shots = 4, .queries = 5};
  const auto regression = small_method(
      algorithm, config, {.name = "mlp", .own = {{"hidden", "6,5"}, {"activation", "tanh"}}}, {1}, 1);
  if (regression.method) {
    ++known;
    const Moment now{.seed = 2, .iteration = iteration};
    check_exact(regression, regression.task(now, 2, BatchNormMode::kNone), now);
  }
  config = strokes(algorithm);
  config.shape = {.ways = 3, .shots = 2, .queries = 2};
  const auto classes = small_method(
      algorithm, config, {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 2}}}, {1, 9, 9}, 3);
  if (classes.method) {
    ++known;
    const Moment now{.seed = 2, .iteration = iteration};
    check_exact(classes, classes.task(now, 1, BatchNormMode::kBatch), now);
  }
  if (kOfDomains.count(algorithm.name) != 0) {
    ++known;
    config = styled(algorithm);
    config.shape = {.ways = 3, .shots = 1, .queries = 1};
    config.inner.step_size = 0.02;
    const auto domains =
        small_method(algorithm, config, {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 2}}},
                     {1, 9, 9}, 3, true);
    REQUIRE(domains.method);
    const Moment now{.seed = 2, .iteration = iteration, .first_task = 1};
    check_exact(domains, domains.task(now, 1, BatchNormMode::kBatch), now);
  }
  CHECK(known > 0);
}

void exact_on_trajectories(const Algorithm& algorithm) {
  if (!algorithm.policy_method || !algorithm.exact) return;
  PolicyMetaConfig config = navigation(algorithm);
  EnvironmentSpec environment;
  environment.name = "test";
  environment.observation_size = 3;
  environment.action_size = 2;
  const auto policy = make_policy({.hidden = {4}, .activation = "tanh"}, environment);
  config.inner.step_size = 0.3;
  const auto method = algorithm.policy_method(
      config.algorithm.own, {.inner = config.inner,
                             .initial = [&](Stream& stream) { return policy->initial(stream); },
                             .head = policy->network().head_names()});
  Stream stream(StreamKey{3, Purpose::kTest});
  const Params start = method->initial(stream).to(torch::kFloat64);
  const Params meta = start + 0.05 * normal_like(start, 4);
  const Moment now{.seed = 2, .iteration = algorithm.exact_from};

  PolicyGradientTask task(*policy, InnerEstimator::kLogLikelihood);
  const auto record = [&](const Params& phi, int64_t step) {
    constexpr int64_t kSteps = 6;
    RecordedSteps data{.observations = normal({1, kSteps, 3}, 10 + static_cast<uint64_t>(step)),
                       .actions = normal({1, kSteps, 2}, 20 + static_cast<uint64_t>(step)),
                       .advantages = normal({1, kSteps}, 30 + static_cast<uint64_t>(step)),
                       .steps = torch::full({1}, static_cast<double>(kSteps), torch::kFloat64),
                       .adjusted_reward = normal({1}, 40 + static_cast<uint64_t>(step)),
                       .lengths = {kSteps}};
    task.record(data, method->read(phi, Part::kQuery, step, now));
  };
  auto recorded = method->inner().start(meta, 1, now);
  record(recorded.adapted(), 0);
  const auto view = method->view(task, now);
  for (int64_t k = 0; k < config.inner.steps; ++k) {
    method->inner().advance(recorded, *view);
    record(recorded.adapted(), k + 1);
  }
  const auto loss = [&](const Params& p) {
    return method->objective().value(method->inner().adapt(p, *view, now), *view, now).sum().item<double>();
  };
  const auto gradient = [&](const Params& p) {
    const auto adaptation = method->inner().adapt(p, *view, now);
    return meta_gradient(method->objective().at(adaptation, *view, now), adaptation);
  };
  const auto found = check_gradient(loss, gradient, meta, 1e-5);
  INFO(found.text());
  CHECK(found.relative < 1e-6);
  CHECK(std::abs(found.difference) > 1e-6);
}

void keys_read_back(const Algorithm& algorithm) {
  CHECK_FALSE(algorithm.paper.empty());
  CHECK_FALSE(algorithm.summary.empty());
  Texts own;
  for (const auto& key : algorithm.keys) {
    CHECK_FALSE(key.meaning.empty());
    own.set(key.name, key.initial);
  }
  CHECK((algorithm.supervised() || algorithm.policies()));
  ThreadPool pool(1, &Executor::prepare_thread);
  SupervisedMetaConfig known;  // tasks that it knows
  if (!algorithm.policies()) {
    for (const auto& config : {sine(algorithm), styled(algorithm), strokes(algorithm)}) {
      try {
        SupervisedMetaLearner(config, algorithm, shared(config.dataset), pool);
        known = config;
      } catch (const UsageError&) {
      }
    }
  }
  const auto make = [&](const Texts& texts) {
    if (algorithm.policies()) {
      PolicyMetaConfig config = navigation(algorithm);
      config.algorithm.own = texts;
      make_policy_learner(config, algorithm, pool);
    } else {
      SupervisedMetaConfig config = known;
      config.algorithm.own = texts;
      SupervisedMetaLearner(config, algorithm, shared(config.dataset), pool);
    }
  };
  CHECK_NOTHROW(make(own));
  own.set("no_such_key", "1");
  CHECK_THROWS_WITH(make(own), contains(algorithm.name + ".no_such_key"));
}

void other_side_refused(const Algorithm& algorithm) {
  ThreadPool pool(1, &Executor::prepare_thread);
  if (!algorithm.supervised()) {
    CHECK_THROWS_WITH(SupervisedMetaLearner(sine(algorithm), algorithm, pool), contains(algorithm.name));
  }
  if (!algorithm.policies()) {
    CHECK_THROWS_WITH(make_policy_learner(navigation(algorithm), algorithm, pool), contains(algorithm.name));
  }
  CHECK_THROWS_WITH(find_algorithm("mamll"), contains("did you mean 'maml'?"));
}

struct Claim {
  const char* text;
  void (*check)(const Algorithm& algorithm);
};

const Claim kClaims[] = {
    {"a data set's training has the same bits for 1, 2 and 7 threads and across a restore",
     same_bits_on_data_sets},
    {"a policy's training has the same bits for 1, 2 and 7 threads and across a restore",
     same_bits_with_policies},
    {"the meta-gradient on episodes equals finite differences where the row says it is exact",
     exact_on_episodes},
    {"the meta-gradient on trajectories equals finite differences where the row says it is exact",
     exact_on_trajectories},
    {"an algorithm's keys read back, and others are refused", keys_read_back},
    {"the side an algorithm does not know is refused", other_side_refused},
};

const std::string kPrefix = "contract: ";

// One test case for every algorithm, whose name it carries: ctest -R "contract: reptile" runs that one.
void contract() {
  const Algorithm& algorithm = find_algorithm(current_test_name().substr(kPrefix.size()));
  for (const auto& claim : kClaims) {
    DYNAMIC_SECTION(claim.text) { claim.check(algorithm); }
  }
}

const size_t kCases = [] {
  const auto names = names_of(algorithms());
  for (const auto& name : names) {
    const std::string test = kPrefix + name;
    REGISTER_TEST_CASE(contract, test.c_str(), "[meta][contract]");
  }
  return names.size();
}();

}  // namespace

TEST_CASE("every algorithm has its contract tested", "[meta]") {
  CHECK(kCases == algorithms().size());
  CHECK(kCases > 0);
}
