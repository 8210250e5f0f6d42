// MAML with TRPO on an environment of one's own: a point on a line that must find a goal it cannot see.
#include <innerloop/meta/algorithms/registry.h>
#include <innerloop/meta/policy/policy_meta_learner.h>

#include <algorithm>
#include <cmath>
#include <iostream>

using namespace innerloop;

class Line : public Environment {
 public:
  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override {
    return Eigen::VectorXd::Constant(1, stream.uniform(-1, 1));
  }
  void set_task(const Eigen::VectorXd& task) override { goal_ = task[0]; }
  void reset(Stream&, ObservationRef observation) override { observation[0] = x_ = 0; }
  StepResult step(const ActionRef& action, Stream&, ObservationRef observation) override {
    observation[0] = x_ += std::clamp(action[0], -0.2f, 0.2f);
    return {.reward = -std::abs(x_ - goal_)};
  }

 private:
  EnvironmentSpec spec_{.name = "line",
                        .description = "",
                        .observation_size = 1,
                        .action_size = 1,
                        .horizon = 20,
                        .task_parameters = {"goal"}};
  double goal_ = 0;
  float x_ = 0;
};

int main() {
  PolicyMetaConfig config;
  config.policy.hidden = {32};
  config.inner.step_size = 0.1;

  ThreadPool threads(2);
  PolicyMetaLearner learner(config, find_algorithm("maml"), std::make_unique<Line>, threads);
  for (int64_t i = 0; i <= 50; ++i) {
    const auto returns = learner.iterate(i).returns;
    if (i % 10 == 0)
      std::cout << "iteration " << i << ": return " << returns.back().mean << " after a gradient step\n";
  }
}
