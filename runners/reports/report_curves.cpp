#include "runners/reports/report_curves.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "runners/drawing/smoothing.h"

namespace innerloop {
namespace {

constexpr size_t kMostPoints = 120, kFewValues = 20;
constexpr int kLevels = 60;
constexpr BootstrapConfig kQuick{.replicates = 1000};  // for each point of a curve

std::map<double, double> smoothed_by_iteration(const TrainingCurve& curve) {
  const size_t n = curve.value.size();
  const auto values = n > kFewValues ? smoothed_values(curve.value, n / 40 + 1) : curve.value;
  std::map<double, double> out;
  for (size_t i = 0; i < n; ++i) out[curve.iteration[i]] = values[i];
  return out;
}

// So many of them at most, evenly, the last one always.
std::vector<double> thinned(const std::vector<double>& values) {
  if (values.size() <= kMostPoints) return values;
  std::vector<double> out;
  for (size_t i = 0; i < kMostPoints; ++i) out.push_back(values[(values.size() - 1) * i / (kMostPoints - 1)]);
  return out;
}

}  // namespace

std::vector<ReportPoint> learning_curve(const RunGroup& group) {
  std::vector<std::map<double, double>> curves;
  for (const auto& run : group.runs) {
    if (run.curve.what == group.runs.front().curve.what) curves.push_back(smoothed_by_iteration(run.curve));
  }
  std::vector<double> common;
  for (const auto& [iteration, value] : curves.front()) {
    const bool all = std::all_of(curves.begin(), curves.end(),
                                 [x = iteration](const auto& curve) { return curve.count(x) != 0; });
    if (all) common.push_back(iteration);
  }
  std::vector<ReportPoint> out;
  for (const double x : thinned(common)) {
    std::vector<double> seeds;
    for (const auto& curve : curves) seeds.push_back(curve.at(x));
    out.push_back({x, estimate_interquartile_mean({seeds}, kQuick)});
  }
  return out;
}

std::vector<ReportPoint> adaptation_curve(const RunGroup& group) {
  std::vector<const RunEvaluation*> evaluations;
  size_t steps = 0;
  for (const auto& run : group.runs) {
    if (!run.evaluation) continue;
    evaluations.push_back(&*run.evaluation);
    const size_t own = run.evaluation->per_step.size();
    steps = evaluations.size() == 1 ? own : std::min(steps, own);
  }
  std::vector<ReportPoint> out;
  for (size_t k = 0; k < steps; ++k) {
    std::vector<double> seeds;
    for (const auto* evaluation : evaluations) seeds.push_back(mean_statistics(evaluation->per_step[k]).mean);
    ReportPoint point{static_cast<double>(k), estimate_interquartile_mean({seeds}, kQuick)};
    if (seeds.size() == 1) {
      const MeanStatistics tasks = mean_statistics(evaluations.front()->per_step[k]);
      if (tasks.ci95) point.y.ci95 = Interval{tasks.mean - *tasks.ci95, tasks.mean + *tasks.ci95};
    }
    out.push_back(point);
  }
  return out;
}

std::vector<std::vector<ReportPoint>> performance_profiles(const std::vector<SeedScores>& scores,
                                                           const std::string& metric) {
  std::vector<std::vector<ReportPoint>> out(scores.size());
  const auto evaluated = [](const SeedScores& own) {
    return std::none_of(own.begin(), own.end(), [](const auto& problem) { return problem.empty(); });
  };
  std::vector<double> all;
  bool several = false;
  for (const auto& own : scores) {
    several = several || has_several_seeds(own);
    for (const auto& problem : own) all.insert(all.end(), problem.begin(), problem.end());
  }
  if (!several) return out;
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  const double sign = higher_is_better(metric) ? 1 : -1, margin = 0.05 * (*high - *low);
  for (size_t g = 0; g < scores.size(); ++g) {
    if (!evaluated(scores[g])) continue;
    SeedScores own = scores[g];
    for (auto& problem : own) {
      for (double& score : problem) score *= sign;
    }
    for (int i = 0; i <= kLevels; ++i) {
      const double level = *low - margin + (*high - *low + 2 * margin) * i / kLevels;
      out[g].push_back({level, estimate_share_above(own, sign * level, kQuick)});
    }
  }
  return out;
}

std::vector<double> mean_over_runs(const std::vector<EvaluatedRun>& runs) {
  std::vector<double> out(runs.front().per_task.size(), 0);
  for (const auto& run : runs) {
    for (size_t t = 0; t < out.size(); ++t) out[t] += run.per_task[t] / static_cast<double>(runs.size());
  }
  return out;
}

}  // namespace innerloop
