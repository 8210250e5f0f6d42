// What was learned on the supervised side, in numbers: the evaluation on test tasks, its table on the
// terminal, and the JSON in which `bench` and `adapt` keep it.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "runners/config.h"
#include "runners/published.h"
#include "runners/run_directory.h"

namespace innerloop {

// "accuracy" (of classification, from 0 to 1) or "mse".
std::string metric_name(bool classification);

struct MetricStatistics {
  int64_t step = 0;
  double mean = 0;
  std::optional<double>
      ci95;  // half-width, 1.96 std / sqrt(tasks) with the sample deviation; none for one task
};
std::vector<MetricStatistics> statistics(const TaskMetrics& metrics);  // by gradient step, over tasks

EpisodeShape evaluation_shape(const SupervisedMetaLearner& learner,
                              const SupervisedEvaluationConfig& evaluation);

struct SupervisedResult {
  std::vector<MetricStatistics> steps;
  // Of the same tasks, classification only: 1-nearest-neighbour.
  std::optional<MetricStatistics> nearest_on_pixels, nearest_on_features;
  std::vector<PublishedCell> published;  // of this very cell, by step; empty if there is none
  int64_t meta_iterations = 0;           // trained for
  int64_t selected_iteration = 0;  // of the meta-parameters used: the best on validation tasks, or the last
  std::optional<double> milliseconds;  // per meta-iteration, median
};

// Evaluates the learner, which holds the meta-parameters to use, on the test split.
SupervisedResult evaluate_supervised(const SupervisedMetaLearner& learner, const ExperimentConfig& config);

// {dataset, ways, shots, queries, tasks, seed, steps: [{step, accuracy_mean or mse_mean, ci95|null}],
//  published: [{step, accuracy_mean or mse_mean, ci95|null, source, protocol}]|null,
//  milliseconds_per_iteration|null, algorithm, order: "first"|"second"|"none", loss_reduction,
//  effective_inner_step_size, batch_norm, protocol, meta_iterations, selected_iteration,
//  baselines: {nearest_neighbour_pixels, nearest_neighbour_features: {accuracy_mean, ci95|null}}|null}
std::string supervised_json(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                            const SupervisedResult& result);

void print_result(std::ostream& out, const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                  const SupervisedResult& result);

// Ways, shots, queries, tasks and seed of the evaluation in one line.
std::string evaluation_text(const SupervisedMetaLearner& learner, const ExperimentConfig& config);

// Evaluates, prints, and writes NAME.json, NAME.png, NAME_tasks.png (regression) and progress.png into the
// run directory. The milliseconds per meta-iteration are those that the log tells of the last training there.
void report_supervised(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                       const RunDirectory& directory, const std::string& name);

}  // namespace innerloop
