// What an evaluation says: statistics per gradient step, and the JSON in which `adapt` keeps them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runners/experiment/config.h"

namespace innerloop {

// Over tasks; a task's return is the mean undiscounted return of the trajectories sampled at that step.
struct StepStatistics {
  int64_t step = 0;
  double return_mean = 0;
  std::optional<double> return_std;    // sample standard deviation (n - 1); none for one task
  std::optional<double> return_ci95;   // half-width of the 95 % confidence interval, t std / sqrt(tasks)
  std::optional<double> success_rate;  // share of trajectories; none where success is not defined
};

std::vector<StepStatistics> statistics(const PolicyEvaluation& evaluation,
                                       const EnvironmentSpec& environment);

// The tasks that were one and the same, where the environment has finitely many: the mean over all of them
// may be that of two modes.
struct TaskGroup {
  std::string name;  // "forward"
  Eigen::VectorXd task;
  int64_t tasks = 0;  // of the evaluation
  std::vector<StepStatistics> steps;
};

// In the environment's order, those without a task left out; empty if it has infinitely many.
std::vector<TaskGroup> by_task(const PolicyEvaluation& evaluation, const Environment& environment);

// Step sizes used for gradient steps 1..K; `step_size`: of training, NaN where it is
// learned; then nothing.
std::optional<std::vector<double>> evaluation_step_sizes(const PolicyEvaluationConfig& evaluation,
                                                         double step_size);

// {environment, observe_task, horizon, algorithm, meta_iterations, tasks, trajectories, seed, estimator,
//  first_order, step_sizes: [..]|null, step_scales: [..]|null, step_is: "gradient step"|"episode", overrides:
//  {KEY: text}, steps: [{step, return_mean, return_ci95|null, return_std|null, success_rate}], by_task:
//  [{name, task: {direction: ..}, tasks, steps:
//  [..]}], random_return|null, per_task: [{task: {goal_x: ..}, returns: [..], success_rates: [..]}]};
// success_rate and success_rates only where success is defined, by_task where tasks are finitely many.
// `meta_iterations` that the parameters were trained for. Numbers read back to the same doubles.
std::string evaluation_json(const ExperimentConfig& config, const Environment& environment, double step_size,
                            int64_t meta_iterations, const PolicyEvaluation& evaluation,
                            std::optional<double> random_return = std::nullopt,
                            const std::map<std::string, std::string>& overrides = {});

}  // namespace innerloop
