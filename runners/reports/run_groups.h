// Runs sorted: by the problem they were trained on, and there by configuration. Runs of the same
// configuration but seed are one algorithm with several seeds.
#pragma once

#include <string>
#include <vector>

#include "runners/reports/run_summary.h"

namespace innerloop {

struct RunGroup {
  std::string label;             // "maml", or "maml, inner.steps = 5" where another differs in that
  std::vector<RunSummary> runs;  // by seed
};

// Data set or environment with its shape.
struct RunProblem {
  std::string label;   // "sine, 10-shot", "navigation_2d"
  std::string metric;  // of the first run that has one
  std::vector<RunGroup> groups;
};

// In the order in which runs are given. UsageError if two are the same training: configuration and seed
// agree.
std::vector<RunProblem> group_runs(std::vector<RunSummary> runs);

// A key that is not the same for all groups, and its value in each ("" where a group does not have it).
struct KeyDifference {
  std::string key;
  std::vector<std::string> values;
};
std::vector<KeyDifference> key_differences(const std::vector<RunGroup>& groups);

}  // namespace innerloop
