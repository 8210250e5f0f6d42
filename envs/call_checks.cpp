#include "envs/call_checks.h"

#include <cmath>

#include "base/error.h"

namespace innerloop {
namespace {

void check_room(const EnvironmentSpec& spec, const ObservationRef& observation) {
  require(observation.size() == spec.observation_size, spec.name, ": room for an observation of ",
          observation.size(), " entries, expected ", spec.observation_size);
}

}  // namespace

void CallChecks::check_task(const EnvironmentSpec& spec, const Eigen::VectorXd& task) {
  require(task.size() == spec.task_size(), spec.name, ": task has ", task.size(), " entries, expected ",
          spec.task_size(), " (", join(spec.task_parameters), ")");
  require(task.allFinite(), spec.name, ": task (", task.transpose(), ") is not finite");
}

void CallChecks::set_task(const EnvironmentSpec& spec, const Eigen::VectorXd& task) {
  check_task(spec, task);
  has_task_ = true;
  running_ = false;
}

void CallChecks::reset(const EnvironmentSpec& spec, const ObservationRef& observation) {
  require_task(spec, "reset");
  check_room(spec, observation);
  running_ = true;
}

void CallChecks::require_task(const EnvironmentSpec& spec, const char* what) const {
  require(has_task_, spec.name, ": ", what, " before a task was set, expected set_task first");
}

void CallChecks::check_step(const EnvironmentSpec& spec, const ActionRef& action,
                            const ObservationRef& observation) const {
  require(running_, spec.name, ": step before reset, expected set_task, reset, step");
  check_room(spec, observation);
  require(action.size() == spec.action_entries(), spec.name, ": action has ", action.size(),
          " entries, expected ", spec.action_entries());
  require(action.allFinite(), spec.name, ": action (", action.transpose(),
          ") is not finite, expected finite numbers");
  if (spec.action_kind != ActionKind::kDiscrete) return;
  const float choice = action[0], choices = static_cast<float>(spec.action_size);
  require(choice >= 0 && choice < choices && choice == std::floor(choice), spec.name, ": action is ", choice,
          ", expected one of 0, 1, ..., ", spec.action_size - 1);
}

}  // namespace innerloop
