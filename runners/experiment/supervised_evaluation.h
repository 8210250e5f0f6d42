// What was learned on the supervised side, in numbers: the evaluation on test tasks and its table on the
// terminal.
#pragma once

#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "meta/supervised/supervised_meta_learner.h"
#include "runners/experiment/class_results.h"
#include "runners/experiment/config.h"
#include "runners/experiment/published.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

// "accuracy" (of classification, from 0 to 1) or "mse".
std::string metric_name(bool classification);
// "98.70 %" or "0.3512"; "+-0.25 %", or "-" where there is none.
std::string figure_text(double value, bool classification);
std::string interval_text(const std::optional<double>& half, bool classification);

struct MetricStatistics {
  int64_t step = 0;
  double mean = 0;
  std::optional<double> ci95;  // half-width, as in statistics.h; none for one task
};
std::vector<MetricStatistics> statistics(const TaskMetrics& metrics);  // by gradient step, over tasks

// A method's inner step size (Method::step_size) on the mean loss, and as text: "0.01", or "0.4 x 5 ways = 2
// on the mean loss". Nothing where it is learned or there is none.
std::optional<double> effective_step_size(const SupervisedMetaConfig& config, double step_size);
std::string step_size_text(const SupervisedMetaConfig& config, double step_size);

// The learner's configuration with the shape of the tasks it is tested on.
SupervisedMetaConfig tested_config(const SupervisedMetaLearner& learner, const ExperimentConfig& config);

struct SupervisedResult {
  TaskOutcomes outcomes;
  std::vector<MetricStatistics> steps;
  // Classification only; by_class of `outcomes`, whose classes are places in class_names.
  std::vector<std::string> class_names;
  std::vector<ClassResult> classes;
  // Of methods that read sequences: at a class' first, second, ... presentation (`step`: 1, 2, ...), over
  // sequences.
  std::vector<MetricStatistics> presentations;
  // Of the same tasks, classification only: 1-nearest-neighbour.
  std::optional<MetricStatistics> nearest_on_pixels, nearest_on_features;
  std::vector<PublishedCell> published;  // of this very cell, by step; empty if there is none
  int64_t meta_iterations = 0;           // trained for
  int64_t selected_iteration = 0;  // of the meta-parameters used: the best on validation tasks, or the last
  std::optional<double> milliseconds;            // per meta-iteration, median
  std::map<std::string, std::string> overrides;  // runners/experiment/evaluation_files.h
};

// Evaluates the learner, which holds the meta-parameters to use, on the test split.
SupervisedResult evaluate_supervised(const SupervisedMetaLearner& learner, const ExperimentConfig& config);

void print_result(std::ostream& out, const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                  const SupervisedResult& result);

// Ways, shots, queries, tasks and seed of the evaluation in one line.
std::string evaluation_text(const SupervisedMetaLearner& learner, const ExperimentConfig& config);

// The meta-parameters that an evaluation uses: the best on validation tasks, or the last.
struct SelectedCheckpoint {
  int64_t iteration = 0;     // of these
  int64_t trained = 0;       // meta-iterations done in all
  std::string trained_with;  // Checkpoint::config
  std::string description;  // "omniglot, maml after 300 meta-iterations of 400, the best on validation tasks"
};
// Gives them to the learner and checks that it can be evaluated so.
SelectedCheckpoint use_selected(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                                const RunDirectory& directory);

// Evaluates, prints, and writes NAME.json (kept as runners/experiment/evaluation_files.h says), NAME.png,
// NAME_tasks.png (regression) and progress.png into the run directory. The milliseconds per meta-iteration
// are those of progress.csv. Of several processes each evaluates its share, rank 0 prints and writes.
void report_supervised(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                       const RunDirectory& directory, const std::string& name, Processes& processes);

}  // namespace innerloop
