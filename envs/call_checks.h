// What every environment refuses alike: tasks, actions and observations of a wrong size, values that are not
// finite, and a wrong order of calls, each with an Error that names the environment. An environment holds
// one, tells it of every call first, and trusts its arguments from there on.
#pragma once

#include "envs/environment.h"

namespace innerloop {

class CallChecks {
 public:
  // Size and finiteness alone, where an environment has more to refuse before it takes a task.
  static void check_task(const EnvironmentSpec& spec, const Eigen::VectorXd& task);

  void set_task(const EnvironmentSpec& spec, const Eigen::VectorXd& task);
  void reset(const EnvironmentSpec& spec, const ObservationRef& observation);
  void step(const EnvironmentSpec& spec, const ActionRef& action, const ObservationRef& observation) const {
    // One test that all is well: a step of a small environment takes tens of nanoseconds.
    const bool well = running_ && action.size() == spec.action_entries() &&
                      observation.size() == spec.observation_size && action.allFinite();
    if (!well || spec.action_kind == ActionKind::kDiscrete) check_step(spec, action, observation);
  }
  void stop() { running_ = false; }  // no step until the next reset
  // For what depends on the task: `what` was asked for before one was set.
  void require_task(const EnvironmentSpec& spec, const char* what) const;

 private:
  void check_step(const EnvironmentSpec& spec, const ActionRef& action,
                  const ObservationRef& observation) const;

  bool has_task_ = false;
  bool running_ = false;  // between a reset and the next set_task
};

}  // namespace innerloop
