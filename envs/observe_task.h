// Any environment with the task's parameters appended to its observation: the oracle of the papers, a policy
// that is told what the others must find out.
#pragma once

#include <memory>

#include "envs/environment.h"

namespace innerloop {

class ObserveTask : public Environment {
 public:
  explicit ObserveTask(std::unique_ptr<Environment> inner);

  const Environment& inner() const { return *inner_; }
  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override { return inner_->sample_task(stream); }
  void set_task(const Eigen::VectorXd& task) override;
  void reset(Stream& stream, ObservationRef observation) override;
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override;
  std::string failure() const override { return inner_->failure(); }
  std::unique_ptr<Environment> companion() const override;
  std::vector<Eigen::VectorXd> finite_tasks() const override { return inner_->finite_tasks(); }
  std::string task_text(const Eigen::VectorXd& task) const override { return inner_->task_text(task); }

 private:
  void check_observation(const ObservationRef& observation) const;

  std::unique_ptr<Environment> inner_;
  EnvironmentSpec spec_;
  Eigen::VectorXf task_;
};

}  // namespace innerloop
