#include "sampling/trajectories.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/error.h"

namespace innerloop {

std::string EpisodeFailure::text() const {
  return concat("inner step ", inner_step, ", task ", task, ", trajectory ", trajectory, ", step ", step,
                ": ", reason);
}

Trajectories::Trajectories(int64_t tasks, int64_t per_task, int64_t horizon, int64_t observation_size,
                           int64_t action_entries, bool training_rewards)
    : tasks_(tasks),
      per_task_(per_task),
      horizon_(horizon),
      observation_size_(observation_size),
      action_entries_(action_entries) {
  require(tasks >= 1 && per_task >= 1 && horizon >= 1 && observation_size >= 1 && action_entries >= 1,
          "trajectories: ", tasks, " tasks, ", per_task, " trajectories per task, horizon ", horizon,
          ", observations of ", observation_size, ", actions of ", action_entries,
          " numbers; expected at least 1 of each");
  const auto count = static_cast<size_t>(tasks * per_task);
  const auto steps = static_cast<size_t>(tasks * per_task * horizon);
  observations_.resize(steps * static_cast<size_t>(observation_size));
  actions_.resize(steps * static_cast<size_t>(action_entries));
  rewards_.resize(steps);
  if (training_rewards) training_rewards_.resize(steps);
  lengths_.resize(count);
  success_.resize(count);
  step_success_.resize(steps);
}

int64_t Trajectories::steps(int64_t t) const {
  const auto first = lengths_.begin() + t * per_task_;
  return std::accumulate(first, first + per_task_, int64_t{0});
}

int64_t Trajectories::total_steps() const {
  return std::accumulate(lengths_.begin(), lengths_.end(), int64_t{0});
}

double Trajectories::undiscounted_return(int64_t t, int64_t n, RewardKind kind) const {
  return rewards(t, n, kind).cast<double>().sum();
}

Trajectories::ConstMatrix Trajectories::observations(int64_t t, int64_t n) const {
  return {observations_.data() + at(t, n) * static_cast<size_t>(horizon_ * observation_size_),
          observation_size_, length(t, n)};
}

Trajectories::ConstMatrix Trajectories::actions(int64_t t, int64_t n) const {
  return {actions_.data() + at(t, n) * static_cast<size_t>(horizon_ * action_entries_), action_entries_,
          length(t, n)};
}

Eigen::Map<const Eigen::VectorXf> Trajectories::rewards(int64_t t, int64_t n, RewardKind kind) const {
  const bool other = kind == RewardKind::kTraining && !training_rewards_.empty();
  return {(other ? training_rewards_ : rewards_).data() + at(t, n) * static_cast<size_t>(horizon_),
          length(t, n)};
}

Eigen::Map<const Trajectories::Flags> Trajectories::successes(int64_t t, int64_t n) const {
  return {step_success_.data() + at(t, n) * static_cast<size_t>(horizon_), length(t, n)};
}

Eigen::Map<Eigen::MatrixXf> Trajectories::observation_buffer(int64_t t, int64_t n) {
  return {observations_.data() + at(t, n) * static_cast<size_t>(horizon_ * observation_size_),
          observation_size_, horizon_};
}

Eigen::Map<Eigen::MatrixXf> Trajectories::action_buffer(int64_t t, int64_t n) {
  return {actions_.data() + at(t, n) * static_cast<size_t>(horizon_ * action_entries_), action_entries_,
          horizon_};
}

Eigen::Map<Eigen::VectorXf> Trajectories::reward_buffer(int64_t t, int64_t n) {
  return {rewards_.data() + at(t, n) * static_cast<size_t>(horizon_), horizon_};
}

Eigen::Map<Eigen::VectorXf> Trajectories::training_reward_buffer(int64_t t, int64_t n) {
  require(!training_rewards_.empty(), "trajectories: made without room for training rewards");
  return {training_rewards_.data() + at(t, n) * static_cast<size_t>(horizon_), horizon_};
}

Eigen::Map<Trajectories::Flags> Trajectories::success_buffer(int64_t t, int64_t n) {
  return {step_success_.data() + at(t, n) * static_cast<size_t>(horizon_), horizon_};
}

void Trajectories::finish(int64_t t, int64_t n, int64_t length, bool success) {
  lengths_[at(t, n)] = static_cast<int32_t>(length);
  success_[at(t, n)] = success ? 1 : 0;
}

void Trajectories::set_failures(std::vector<EpisodeFailure> failures) {
  failures_ = std::move(failures);
  std::sort(failures_.begin(), failures_.end(), [](const auto& a, const auto& b) {
    return std::tie(a.task, a.trajectory) < std::tie(b.task, b.trajectory);
  });
}

}  // namespace innerloop
