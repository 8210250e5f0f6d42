// A bandit's recorded pulls in the place of trajectories: what an algorithm makes of them can be worked out.
#pragma once

#include <cmath>
#include <memory>
#include <vector>

#include "meta/algorithm.h"
#include "meta/gradient_method.h"
#include "tests/meta/algorithms/recorded_steps.h"
#include "tests/torch_catch.h"

namespace innerloop::testing {

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
  return Params({{"layer0.weight", torch::zeros({1, 2, 1}, torch::kFloat64)},
                 {"layer0.bias", torch::tensor({0.0, x}, torch::kFloat64).view({1, 2})}});
}

inline double sigma(double x) { return 1 / (1 + std::exp(-x)); }

// `adjusted_reward`: what E-MAML credits them with.
inline RecordedSteps pulls(const std::vector<double>& arms, const std::vector<double>& advantages,
                           double adjusted_reward = 0) {
  auto data = recorded(arms, advantages);
  data.adjusted_reward = torch::full({1}, adjusted_reward, torch::kFloat64);
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
