// The numbers of a report for other programs.
#pragma once

#include <string>

#include "runners/reports/report_results.h"

namespace innerloop {

// {innerloop, command, problems: [{problem, metric, baseline, not_paired|null, tasks_share_samples:
// bool|null,
//  configuration_differences: {KEY:
//  [text..]}, algorithms: [{algorithm, seeds: [..], interquartile_mean, interquartile_mean_ci95: [low,
//  high]|null, mean_over_tasks, ci95_over_tasks|null, difference|null, difference_ci95|null,
//  probability_of_improvement|null, probability_of_improvement_ci95|null, learning, adaptation,
//  performance_profile: [{x, value, ci95|null}], per_task: [..], runs: [{run, seed, meta_iterations, of,
//  milliseconds_per_iteration|null, mean|null, commands}]}]}], across_problems|null,
//  not_across_problems|null}. Accuracies are from 0 to 1; numbers read back to the same
// doubles.
std::string report_json(const ReportResults& results, const std::string& command);

// A row for each run: problem, algorithm, seed, run, metric, meta_iterations, of, milliseconds_per_iteration,
// evaluation, tasks, step_0 .. step_K (mean over tasks), ci95 (half-width over tasks after the last step).
// Cells that have no value are empty. RFC 4180.
std::string report_csv(const ReportResults& results);

}  // namespace innerloop
