#include "meta/algorithms/promp.h"

#include <cmath>

#include "base/error.h"
#include "meta/gradient_method.h"
#include "meta/policy/policy_gradient_task.h"
#include "meta/policy/policy_meta_learner.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/recorded_steps.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;
using torch::Tensor;

namespace {

const auto kDouble = torch::kFloat64;

EnvironmentSpec line() {
  EnvironmentSpec spec;
  spec.name = "line";
  spec.observation_size = 1;
  spec.action_size = 1;
  spec.horizon = 10;
  return spec;
}

// mu = b, standard deviation 1.
Params gaussian(double b) {
  return Params({{"layer0.weight", torch::zeros({1, 1, 1}, kDouble)},
                 {"layer0.bias", torch::full({1, 1}, b, kDouble)},
                 {"log_std", torch::zeros({1, 1}, kDouble)}});
}

struct Setting {
  std::unique_ptr<Policy> policy;
  std::unique_ptr<GradientMethod> method;
  std::unique_ptr<PolicyGradientTask> task;
  GradientMethod::View view;
};

Setting setting(const Texts& own, double step_size, int64_t steps = 1) {
  Setting out;
  out.policy = make_policy({.hidden = {}}, line());
  out.method = promp().policy_method(own, {.inner = {.steps = steps, .step_size = step_size},
                                           .initial = [](Stream&) { return gaussian(0); }});
  // The losses are ProMP's whatever the estimator.
  out.task = std::make_unique<PolicyGradientTask>(*out.policy, InnerEstimator::kLogLikelihood);
  out.view = out.method->view(*out.task, {});
  return out;
}

// An action whose probability under mean `to` is `ratio` times that under mean 0.
double action_with_ratio(double ratio, double to) { return (std::log(ratio) + to * to / 2) / to; }

}  // namespace

TEST_CASE("promp: the outer loss takes the smaller of ratio and clipped ratio, and the KL of the inner steps",
          "[meta]") {
  // Without moving (inner step 0): theta = b against the recording policy b = 0.
  const double b = 0.4, eta = 0.3;
  const auto s = setting({{"clip_ratio", "0.3"}, {"kl_penalty", "0.3"}}, 1e-9);
  s.task->record(recorded({0.1, 0.2}, {0, 0}), gaussian(0));
  s.task->record(recorded({action_with_ratio(1.5, b), action_with_ratio(0.5, b)}, {1, -1}), gaussian(0));
  const auto adaptation = s.method->inner().adapt(gaussian(b), *s.view);
  const auto at = s.method->objective().at(adaptation, *s.view, {});
  // -(min(1.5, 1.3) + min(-0.5, -0.7)) / 2 = -0.3; KL(N(0,1) || N(b,1)) = b^2 / 2.
  CHECK(at.loss.item<double>() == Approx(-0.3 + eta * b * b / 2));
  CHECK(s.method->objective().value(adaptation, *s.view, {}).item<double>() ==
        Approx(at.loss.item<double>()));
  // Both ratios are beyond their clip, on the side where it counts: only the KL pulls, by eta b.
  const auto gradient = meta_gradient(at, adaptation);
  CHECK(gradient.at("layer0.bias").item<double>() == Approx(eta * b));

  // Where clipping would not make it smaller, the ratio itself counts: A = -1 at 1.5, A = 1 at 0.5.
  const auto other = setting({{"clip_ratio", "0.3"}, {"kl_penalty", "0"}}, 1e-9);
  other.task->record(recorded({0.1}, {0}), gaussian(0));
  other.task->record(recorded({action_with_ratio(1.5, b), action_with_ratio(0.5, b)}, {-1, 1}), gaussian(0));
  const auto unclipped = other.method->inner().adapt(gaussian(b), *other.view);
  CHECK(other.method->objective().value(unclipped, *other.view, {}).item<double>() ==
        Approx((1.5 - 0.5) / 2));
}

TEST_CASE("promp: the inner step climbs the likelihood ratio, away from the recording policy too", "[meta]") {
  const double b = 0.4, alpha = 0.2, a = 0.9, advantage = 1.4;
  const auto s = setting({}, alpha);
  s.task->record(recorded({a}, {advantage}), gaussian(0));
  const auto adaptation = s.method->inner().adapt(gaussian(b), *s.view);
  const double ratio = std::exp(a * a / 2 - (a - b) * (a - b) / 2);
  CHECK(adaptation.adapted().at("layer0.bias").item<double>() ==
        Approx(b + alpha * advantage * ratio * (a - b)));
}

TEST_CASE("promp: the meta-gradient equals finite differences away from the recording policy", "[meta]") {
  const auto steps = GENERATE(int64_t{1}, int64_t{2});
  const auto s = setting({{"kl_penalty", "0.7"}}, 0.3, steps);
  const std::vector<std::vector<double>> actions{{0.3, -0.8, 1.1}, {0.5, 0.1, -1.2}, {0.2, -0.4, 0.9}};
  const std::vector<std::vector<double>> advantages{{0.9, -0.4, 0.2}, {-0.3, 0.8, 0.5}, {1.1, -0.6, 0.4}};
  for (size_t k = 0; k <= static_cast<size_t>(steps); ++k)
    s.task->record(recorded(actions[k], advantages[k]), gaussian(0.05 * static_cast<double>(k)));
  const auto loss = [&](const Params& p) {
    return s.method->objective().value(s.method->inner().adapt(p, *s.view), *s.view, {}).item<double>();
  };
  const auto gradient = [&](const Params& p) {
    const auto adaptation = s.method->inner().adapt(p, *s.view);
    return meta_gradient(s.method->objective().at(adaptation, *s.view, {}), adaptation);
  };
  const auto found = check_gradient(loss, gradient, gaussian(0.13), 1e-5);
  INFO(found.text());
  CHECK(found.relative < 1e-6);
  // The penalty has a part in it.
  const auto without = setting({{"kl_penalty", "0"}}, 0.3, steps);
  for (size_t k = 0; k <= static_cast<size_t>(steps); ++k)
    without.task->record(recorded(actions[k], advantages[k]), gaussian(0.05 * static_cast<double>(k)));
  const auto plain = without.method->inner().adapt(gaussian(0.13), *without.view);
  CHECK(distance(meta_gradient(without.method->objective().at(plain, *without.view, {}), plain),
                 gradient(gaussian(0.13))) > 1e-3);
}

TEST_CASE("promp: the penalty of each inner step is halved and doubled around the target, and is saved",
          "[meta]") {
  const auto s = setting({{"kl_penalty", "0.5"}, {"target_kl", "0.01"}}, 0.1, 3);
  const auto penalties = [&] { return as_numbers(s.method->state().part("kl_penalty.")); };
  CHECK(penalties() == std::vector<double>{0.5, 0.5, 0.5});
  s.method->absorb(as_params({4 * 0.0066, 4 * 0.0151, 4 * 0.0100}), 4, {});  // sums over 4 tasks
  CHECK(penalties() == std::vector<double>{0.25, 1.0, 0.5});
  const auto again = setting({{"kl_penalty", "0.5"}, {"target_kl", "0.01"}}, 0.1, 3);
  again.method->restore(s.method->state());
  CHECK(identical(again.method->state(), s.method->state()));
  CHECK_THROWS_WITH(again.method->restore({}), contains("method state"));
  CHECK(setting({}, 0.1).method->state().empty());
}

TEST_CASE(
    "promp: several epochs on a meta-batch move the penalty and the policy, and resume with the same bits",
    "[meta]") {
  PolicyMetaConfig config;
  config.environment.horizon = 12;
  config.policy.hidden = {8};
  config.meta_batch_size = 3;
  config.sampler.trajectories = 4;
  config.optimizer = {.name = "adam", .step_size = 0.01, .epochs = 4};
  config.algorithm.own = {{"target_kl", "0.0001"}};
  ThreadPool pool(2, &Executor::prepare_thread);
  const auto run = [&](bool interrupted, int64_t epochs) {
    auto c = config;
    c.optimizer.epochs = epochs;
    auto learner = std::make_unique<PolicyMetaLearner>(c, promp(), pool);
    for (int64_t i = 0; i < 3; ++i) {
      learner->iterate(i);
      if (!interrupted) continue;
      auto next = std::make_unique<PolicyMetaLearner>(c, promp(), pool);
      next->restore(learner->meta_parameters(), learner->optimizer_state(), learner->method_state());
      learner = std::move(next);
    }
    return std::pair{learner->meta_parameters().cloned(), learner->method_state()};
  };
  const auto whole = run(false, 4), resumed = run(true, 4), one = run(false, 1);
  CHECK(identical(whole.first, resumed.first));
  CHECK(identical(whole.second, resumed.second));
  CHECK(!identical(whole.first, one.first));
  CHECK(as_numbers(whole.second.part("kl_penalty.")).front() != 5e-4);
}
