// The numbers of a report: per problem and algorithm, over seeds and over tasks, and over all problems.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runners/experiment/statistics.h"
#include "runners/reports/run_groups.h"
#include "runners/reports/seed_statistics.h"

namespace innerloop {

struct ReportPoint {
  double x = 0;
  SeedEstimate y;
};

struct GroupResult {
  std::vector<double> seeds;  // the mean over tasks of each seed that was evaluated, after the last step
  std::optional<SeedEstimate> over_seeds;    // interquartile mean of these
  std::optional<MeanStatistics> over_tasks;  // of the mean over seeds on each task
  std::vector<double> tasks;                 // that mean, of each task
  std::optional<SeedEstimate> improvement;   // probability of it over the baseline
  std::optional<MeanStatistics> difference;  // to the baseline on the same tasks, over tasks
  std::vector<ReportPoint> learning;         // over meta-iterations that all seeds have come to
  std::vector<ReportPoint> adaptation;       // over gradient steps; of one seed the interval is over tasks
  std::vector<ReportPoint> profile;          // share of seeds that are better than x
};

struct ProblemResult {
  RunProblem problem;
  std::vector<GroupResult> groups;  // one for each of problem.groups
  size_t baseline = 0;              // place of it among them
  std::string not_paired;           // why there are no paired differences; "" if there are
};

// Whether held-out tasks were drawn with replacement and may share samples; nothing where they are not of
// stored samples, or none was evaluated.
std::optional<bool> tasks_share_samples(const RunProblem& problem);

// All problems together, where they have one scale (accuracy) and the same algorithms.
struct AcrossProblems {
  std::vector<std::string> labels;
  std::vector<SeedEstimate> over_seeds;
  std::vector<std::optional<SeedEstimate>> improvement;  // over the baseline; nothing for itself
  std::vector<std::vector<ReportPoint>> profiles;
};

struct ReportResults {
  std::vector<ProblemResult> problems;
  std::optional<AcrossProblems> across;
  std::string not_across;  // why there is nothing across problems; "" for one problem
};

// `baseline`: the label of a group, or the name of its algorithm; "" for maml where it is there and else the
// first group. UsageError with the known labels if no problem has it.
ReportResults report_results(std::vector<RunProblem> problems, const std::string& baseline);

}  // namespace innerloop
