#include "envs/trial.h"

#include "base/error.h"

namespace innerloop {
namespace {

constexpr int64_t kMostEpisodes = 1000, kLongestTrial = 100'000'000;

}  // namespace

Trial::Trial(std::unique_ptr<Environment> inner, int64_t episodes)
    : inner_(std::move(inner)),
      spec_(inner_->spec()),
      episodes_(episodes),
      inner_training_(innerloop::training_reward(*inner_)) {
  require_usage(episodes >= 1 && episodes <= kMostEpisodes, "trial of ", spec_.name, ": ", episodes,
                " episodes asked, expected 1 to ", kMostEpisodes);
  require_usage(spec_.horizon <= kLongestTrial / episodes, "trial of ", spec_.name, ": ", episodes,
                " episodes of ", spec_.horizon, " steps asked, expected at most ", kLongestTrial,
                " steps together");
  spec_.observation_size += spec_.action_size + 2;
  spec_.horizon *= episodes;
  auto& names = spec_.observation_names;
  if (names.empty()) return;
  for (int64_t i = 0; i < spec_.action_size; ++i) {
    const bool named = static_cast<size_t>(i) < spec_.action_names.size();
    names.push_back("last " + (named ? spec_.action_names[static_cast<size_t>(i)] : concat("action_", i)));
  }
  names.insert(names.end(), {"last reward", "episode ended"});
}

void Trial::set_task(const Eigen::VectorXd& task) {
  running_ = false;
  inner_->set_task(task);
}

void Trial::reset(Stream& stream, ObservationRef observation) {
  check_observation(observation);
  const auto own = inner_->spec().observation_size;
  inner_->reset(stream, observation.head(own));
  observation.tail(observation.size() - own).setZero();
  episode_ = step_ = 0;
  running_ = true;
  failure_.clear();
}

StepResult Trial::step(const ActionRef& action, Stream& stream, ObservationRef observation) {
  check_observation(observation);
  if (!running_)
    throw Error(concat("trial of ", spec_.name, ": step without a reset, or after the last episode"));
  const auto& spec = inner_->spec();
  auto own = observation.head(spec.observation_size);
  auto last_action = observation.segment(spec.observation_size, spec.action_size);
  StepResult result = inner_->step(action, stream, own);
  if (inner_training_ != nullptr) training_reward_ = inner_training_->training_reward();
  if (spec.action_kind == ActionKind::kDiscrete) {
    last_action.setZero();
    last_action[static_cast<Eigen::Index>(action[0])] = 1;
  } else {
    last_action = action;
  }
  const bool over = result.terminated || ++step_ == spec.horizon;
  observation[observation.size() - 2] = static_cast<float>(result.reward);
  observation[observation.size() - 1] = over ? 1 : 0;
  failure_ = result.failed ? inner_->failure() : "";
  result.terminated = false;
  if (!over) return result;
  step_ = 0;
  if (++episode_ < episodes_) {
    inner_->reset(stream, own);
  } else {
    result.terminated = true;
    running_ = false;
  }
  return result;
}

std::unique_ptr<Environment> Trial::companion() const {
  auto inner = inner_->companion();
  if (inner == nullptr) return nullptr;
  return std::make_unique<Trial>(std::move(inner), episodes_);
}

void Trial::check_observation(const ObservationRef& observation) const {
  if (observation.size() == spec_.observation_size) return;
  throw Error(concat("trial of ", spec_.name, ": room for an observation of ", observation.size(),
                     " entries, expected ", spec_.observation_size));
}

}  // namespace innerloop
