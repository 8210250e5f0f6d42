// Recorded trajectories of T tasks, N per task, of up to H steps: preallocated [T, N, H, dim] buffers plus
// lengths.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

namespace innerloop {

// An episode that an accident of its simulation ended (StepResult::failed); its last recorded step is the one
// that failed.
struct EpisodeFailure {
  uint64_t task = 0;  // of the batch
  uint32_t inner_step = 0;
  int64_t trajectory = 0, step = 0;
  std::string reason;  // Environment::failure()

  bool operator==(const EpisodeFailure&) const = default;
  // "inner step 1, task 3, trajectory 7, step 113: the simulation diverged ..."
  std::string text() const;
};

// Which reward: the task's own, or the one that the outer loss of training reads (envs/training_reward.h; the
// task's own where an environment has no other).
enum class RewardKind { kTask, kTraining };

class Trajectories {
 public:
  Trajectories() = default;
  Trajectories(int64_t tasks, int64_t per_task, int64_t horizon, int64_t observation_size,
               int64_t action_entries, bool training_rewards = false);

  int64_t tasks() const { return tasks_; }
  int64_t per_task() const { return per_task_; }
  int64_t horizon() const { return horizon_; }
  int64_t observation_size() const { return observation_size_; }
  int64_t action_entries() const { return action_entries_; }

  // Steps recorded in trajectory n of task t; entries beyond it are unspecified.
  int64_t length(int64_t t, int64_t n) const { return lengths_[at(t, n)]; }
  int64_t steps(int64_t t) const;  // sum of the lengths of task t
  int64_t total_steps() const;
  bool success(int64_t t, int64_t n) const { return success_[at(t, n)] != 0; }  // held at any step
  using Flags = Eigen::Array<uint8_t, Eigen::Dynamic, 1>;
  // Where it held, a number for each of the first `length` steps; zeros where a sampler did not say.
  Eigen::Map<const Flags> successes(int64_t t, int64_t n) const;
  double undiscounted_return(int64_t t, int64_t n, RewardKind kind = RewardKind::kTask) const;
  const std::vector<EpisodeFailure>& failures() const { return failures_; }  // by task, then trajectory

  // Column s is step s: o_s, a_s, r_s. Only the first `length` columns.
  using ConstMatrix = Eigen::Map<const Eigen::MatrixXf>;
  ConstMatrix observations(int64_t t, int64_t n) const;  // [observation_size, length]
  ConstMatrix actions(int64_t t, int64_t n) const;       // [action_entries, length]
  Eigen::Map<const Eigen::VectorXf> rewards(int64_t t, int64_t n,
                                            RewardKind kind = RewardKind::kTask) const;  // [length]

  // For the sampler: one trajectory's whole [dim, H] storage.
  Eigen::Map<Eigen::MatrixXf> observation_buffer(int64_t t, int64_t n);
  Eigen::Map<Eigen::MatrixXf> action_buffer(int64_t t, int64_t n);
  Eigen::Map<Eigen::VectorXf> reward_buffer(int64_t t, int64_t n);
  Eigen::Map<Flags> success_buffer(int64_t t, int64_t n);
  // Of the same, where there is one: with `training_rewards` of the constructor.
  Eigen::Map<Eigen::VectorXf> training_reward_buffer(int64_t t, int64_t n);
  void finish(int64_t t, int64_t n, int64_t length, bool success);
  void set_failures(std::vector<EpisodeFailure> failures);  // in any order

 private:
  size_t at(int64_t t, int64_t n) const { return static_cast<size_t>(t * per_task_ + n); }

  int64_t tasks_ = 0, per_task_ = 0, horizon_ = 0, observation_size_ = 0, action_entries_ = 0;
  std::vector<float> observations_, actions_, rewards_, training_rewards_;  // the last: none, or as many
  std::vector<int32_t> lengths_;
  std::vector<uint8_t> success_, step_success_;
  std::vector<EpisodeFailure> failures_;
};

}  // namespace innerloop
