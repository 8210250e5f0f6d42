// A trial: several episodes of one task as one long episode, for policies that learn by remembering (RL^2,
// Duan et al. 2016, section 2.2; as in garage's and ProMP's code).
//
// observation  [o_t, a_{t-1}, r_{t-1}, d_{t-1}]: the environment's own, then the action before (a discrete
//              one as one-hot numbers), its reward, and 1 where it ended an episode; zeros at the start of
//              the trial
// reset        the first episode's. When an episode ends, by itself or after its horizon, the next one begins
//              within the same step: o_t is then its first observation
// horizon      `episodes` times the environment's own; the trial terminates with its last episode
// failed       an episode that its simulation failed; the trial goes on with the next one
//
// What the environment draws in all episodes, it draws from the streams given.
#pragma once

#include <memory>
#include <vector>

#include "envs/environment.h"
#include "envs/training_reward.h"

namespace innerloop {

class Trial : public Environment, public TrainingReward {
 public:
  Trial(std::unique_ptr<Environment> inner, int64_t episodes);  // UsageError unless episodes is in [1, 1000]

  const Environment& inner() const { return *inner_; }
  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override { return inner_->sample_task(stream); }
  void set_task(const Eigen::VectorXd& task) override;
  void reset(Stream& stream, ObservationRef observation) override;
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override;
  std::string failure() const override { return failure_; }
  std::unique_ptr<Environment> companion() const override;
  double training_reward() const override { return training_reward_; }  // of the last step; 0: there is none
  std::vector<Eigen::VectorXd> finite_tasks() const override { return inner_->finite_tasks(); }
  std::string task_text(const Eigen::VectorXd& task) const override { return inner_->task_text(task); }

 private:
  void check_observation(const ObservationRef& observation) const;

  std::unique_ptr<Environment> inner_;
  EnvironmentSpec spec_;
  int64_t episodes_;
  int64_t episode_ = 0, step_ = 0;  // in hand, and steps of it so far
  bool running_ = false;
  std::string failure_;
  const TrainingReward* inner_training_ = nullptr;
  double training_reward_ = 0;
};

// Of a trial's observation: whether the step before it ended an episode.
inline bool begins_episode(const Eigen::Ref<const Eigen::VectorXf>& observation) {
  return observation[observation.size() - 1] != 0;
}

}  // namespace innerloop
