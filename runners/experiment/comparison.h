// Several trainings beside one another: the evaluations of supervised runs on the same held-out tasks, by
// algorithm and in pairs.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "runners/experiment/statistics.h"

namespace innerloop {

// One evaluation, as bench.json or adapt.json has it.
struct EvaluatedRun {
  std::string run;  // its folder
  std::string algorithm;
  std::string metric;  // "accuracy", "mse" or, of policies, "return"
  std::map<std::string, std::string>
      test;  // what makes test tasks the same: data set and its digest, ways, ...
  std::string training_seed;
  int64_t meta_iterations = 0;
  std::optional<double> milliseconds;  // per meta-iteration
  std::vector<double> per_task;        // after the last gradient step
};

// Of an error the lower is better, of all else the higher.
bool higher_is_better(const std::string& metric);

// Reads NAME.json of a run directory. Error if it is missing, or not of a data set.
EvaluatedRun read_evaluated_run(const std::filesystem::path& run, const std::string& name);

// The runs of one algorithm: its training seeds.
struct Compared {
  std::string algorithm;
  std::vector<EvaluatedRun> runs;
  MeanStatistics result;           // over tasks, of the mean over seeds
  double lowest = 0, highest = 0;  // of the seeds' means
  MeanStatistics difference;       // to the baseline on the same tasks, over tasks; the baseline's own is 0
};

// Best first. UsageError if the baseline is not among them, or if two runs were not tested on the same tasks:
// what differs is named.
std::vector<Compared> compare(std::vector<EvaluatedRun> runs, const std::string& baseline);

void print_comparison(std::ostream& out, const std::vector<Compared>& rows, const std::string& baseline);
std::string comparison_json(const std::vector<Compared>& rows, const std::string& baseline);

}  // namespace innerloop
