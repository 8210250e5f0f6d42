// What an evaluation says: statistics per gradient step, and the JSON in which `adapt` keeps them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runners/config.h"

namespace innerloop {

// Over tasks; a task's return is the mean undiscounted return of the trajectories sampled at that step.
struct StepStatistics {
  int64_t step = 0;
  double return_mean = 0;
  std::optional<double> return_std;    // sample standard deviation (n - 1); none for one task
  std::optional<double> return_ci95;   // half-width of the 95 % confidence interval, 1.96 std / sqrt(tasks)
  std::optional<double> success_rate;  // share of trajectories; none where success is not defined
};

std::vector<StepStatistics> statistics(const Evaluation& evaluation, const EnvironmentSpec& environment);

// Step sizes used for gradient steps 1..K; none where they are learned per parameter.
std::optional<std::vector<double>> evaluation_step_sizes(const ExperimentConfig& config);

// {environment, observe_task, horizon, algorithm, meta_iterations, tasks, trajectories, seed, estimator,
//  first_order, step_sizes: [..]|null, step_scales: [..], steps: [{step, return_mean, return_ci95|null,
//  return_std|null, success_rate}], per_task: [{task: {goal_x: ..}, returns: [..], success_rates: [..]}]};
// success_rate and success_rates only where success is defined. `meta_iterations` that the parameters were
// trained for. Numbers read back to the same doubles.
std::string evaluation_json(const ExperimentConfig& config, const EnvironmentSpec& environment,
                            int64_t meta_iterations, const Evaluation& evaluation);

}  // namespace innerloop
