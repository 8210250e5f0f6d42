// Curves of one algorithm over its seeds.
#pragma once

#include <string>
#include <vector>

#include "runners/reports/report_results.h"

namespace innerloop {

// Over the meta-iterations that all seeds have a value for, at most 120 of them: the interquartile mean of
// the seeds. Where a curve has many values, each is first replaced by the mean of a twentieth of them around
// it.
std::vector<ReportPoint> learning_curve(const RunGroup& group);

// Over the gradient steps that every evaluated seed has taken: the interquartile mean of the seeds' means
// over tasks. Of one seed the interval is the 95 % one over tasks.
std::vector<ReportPoint> adaptation_curve(const RunGroup& group);

// For each algorithm the share of scores that are better than each of 61 levels between the worst and the
// best of all (performance profile). Empty ones unless some algorithm has several seeds.
std::vector<std::vector<ReportPoint>> performance_profiles(const std::vector<SeedScores>& scores,
                                                           const std::string& metric);

// The mean on every task, of runs that were tested on the same ones.
std::vector<double> mean_over_runs(const std::vector<EvaluatedRun>& runs);

}  // namespace innerloop
