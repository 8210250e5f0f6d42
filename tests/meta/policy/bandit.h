// A two-armed bandit that remembers nothing: whoever plays it must.
#pragma once

#include <memory>

#include "envs/environment.h"

namespace innerloop::testing {

// One arm pays 1, the other nothing; the task says which, an episode is five pulls. A policy that remembers
// gets 4.5 in its first episode, which begins with a guess, and 5 in later ones.
class Bandit : public Environment {
 public:
  Bandit() {
    spec_.name = "bandit";
    spec_.observation_size = 1;
    spec_.action_kind = ActionKind::kDiscrete;
    spec_.action_size = 2;
    spec_.horizon = 5;
    spec_.task_parameters = {"arm"};
    spec_.defines_success = true;
  }
  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override {
    return Eigen::VectorXd::Constant(1, static_cast<double>(stream.below(2)));
  }
  void set_task(const Eigen::VectorXd& task) override { arm_ = task[0]; }
  void reset(Stream&, ObservationRef observation) override { observation << 1; }
  StepResult step(const ActionRef& action, Stream&, ObservationRef observation) override {
    observation << 1;
    const bool won = static_cast<double>(action[0]) == arm_;
    return {.reward = won ? 1.0 : 0.0, .success = won};
  }

 private:
  EnvironmentSpec spec_;
  double arm_ = 0;
};

inline std::unique_ptr<Environment> make_bandit() { return std::make_unique<Bandit>(); }

}  // namespace innerloop::testing
