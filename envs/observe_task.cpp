#include "envs/observe_task.h"

#include "base/error.h"

namespace innerloop {

ObserveTask::ObserveTask(std::unique_ptr<Environment> inner)
    : inner_(std::move(inner)), spec_(inner_->spec()) {
  spec_.observation_size += spec_.task_size();
  if (spec_.observation_names.empty()) return;
  spec_.observation_names.insert(spec_.observation_names.end(), spec_.task_parameters.begin(),
                                 spec_.task_parameters.end());
}

void ObserveTask::set_task(const Eigen::VectorXd& task) {
  inner_->set_task(task);
  task_ = task.cast<float>();
}

void ObserveTask::reset(Stream& stream, ObservationRef observation) {
  check_observation(observation);
  inner_->reset(stream, observation.head(inner_->spec().observation_size));
  observation.tail(task_.size()) = task_;
}

StepResult ObserveTask::step(const ActionRef& action, Stream& stream, ObservationRef observation) {
  check_observation(observation);
  const StepResult result = inner_->step(action, stream, observation.head(inner_->spec().observation_size));
  observation.tail(task_.size()) = task_;
  return result;
}

std::unique_ptr<Environment> ObserveTask::companion() const {
  auto inner = inner_->companion();
  if (inner == nullptr) return nullptr;
  auto copy = std::make_unique<ObserveTask>(std::move(inner));
  copy->task_ = task_;
  return copy;
}

void ObserveTask::check_observation(const ObservationRef& observation) const {
  if (observation.size() == spec_.observation_size) return;
  throw Error(concat(spec_.name, " with observe_task: room for an observation of ", observation.size(),
                     " entries, expected ", spec_.observation_size));
}

}  // namespace innerloop
