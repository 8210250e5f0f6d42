// A bandit's recorded pulls in the place of trajectories: what an algorithm makes of them can be worked out.
#pragma once

#include <cmath>
#include <memory>
#include <vector>

#include "meta/algorithm.h"
#include "meta/gradient_method.h"
#include "meta/policy/policy_gradient_task.h"
#include "tests/torch_catch.h"

namespace innerloop::testing {

const auto kDouble = torch::kFloat64;

// Two arms: pi(1) = sigma(x), x the second logit.
inline std::unique_ptr<Policy> bandit_policy() {
  EnvironmentSpec spec;
  spec.name = "bandit";
  spec.observation_size = 1;
  spec.action_kind = ActionKind::kDiscrete;
  spec.action_size = 2;
  spec.horizon = 1;
  return make_policy({.name = "categorical_mlp", .hidden = {}}, spec);
}

inline Params logit(double x) {
  return Params({{"layer0.weight", torch::zeros({1, 2, 1}, kDouble)},
                 {"layer0.bias", torch::tensor({0.0, x}, kDouble).view({1, 2})}});
}

inline double sigma(double x) { return 1 / (1 + std::exp(-x)); }

inline RecordedSteps pulls(const std::vector<double>& actions, const std::vector<double>& advantages,
                           double adjusted_reward) {
  const auto count = static_cast<int64_t>(actions.size());
  RecordedSteps data;
  data.observations = torch::zeros({1, count, 1}, kDouble);
  data.actions = torch::tensor(actions, kDouble).view({1, count, 1});
  data.advantages = torch::tensor(advantages, kDouble).view({1, count});
  data.steps = torch::full({1}, static_cast<double>(count), kDouble);
  data.adjusted_reward = torch::full({1}, adjusted_reward, kDouble);
  data.lengths = {count};
  return data;
}

// An algorithm on pulls that are recorded one inner step after the other, beginning at the logit x.
struct RecordedBandit {
  std::unique_ptr<Policy> policy = bandit_policy();
  std::unique_ptr<GradientMethod> method;
  std::unique_ptr<PolicyGradientTask> task;
  GradientMethod::View view;
  std::vector<Adaptation> recorded;

  RecordedBandit(const Algorithm& algorithm, const Texts& own, double x, const InnerLoopConfig& inner) {
    method = algorithm.policy_method(own, {.inner = inner, .initial = [](Stream&) { return logit(0); }});
    task = std::make_unique<PolicyGradientTask>(*policy, InnerEstimator::kLogLikelihood);
    view = method->view(*task, {});
    recorded.push_back(method->inner().start(logit(x), 1));
  }
  void record(const RecordedSteps& data) { task->record(data, recorded.back().adapted()); }
  void advance() { method->inner().advance(recorded.back(), *view); }

  double loss(double x) const {
    return method->objective().value(method->inner().adapt(logit(x), *view), *view, {}).item<double>();
  }
  Params gradient(double x) const {
    const auto adaptation = method->inner().adapt(logit(x), *view);
    return meta_gradient(method->objective().at(adaptation, *view, {}), adaptation);
  }
};

}  // namespace innerloop::testing
