#include "runners/reports/report_results.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "runners/reports/report_curves.h"

namespace innerloop {
namespace {

// Scores of which the higher is the better.
SeedScores oriented(SeedScores scores, const std::string& metric) {
  if (higher_is_better(metric)) return scores;
  for (auto& problem : scores) {
    for (double& score : problem) score = -score;
  }
  return scores;
}

std::optional<size_t> find_baseline(const std::vector<RunGroup>& groups, const std::string& name) {
  for (size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].label == name) return g;
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].runs.front().config.algorithm() == name) return g;
  }
  return std::nullopt;
}

void require_baseline(const std::vector<RunProblem>& problems, const std::string& name) {
  std::set<std::string> known;
  for (const auto& problem : problems) {
    if (find_baseline(problem.groups, name)) return;
    for (const auto& group : problem.groups) known.insert(group.label);
  }
  throw UsageError(unknown_name("baseline", name, {known.begin(), known.end()}));
}

// On the same tasks, as `innerloop compare`; that what cannot be paired is a note, not an error.
void add_tasks(ProblemResult& result) {
  std::vector<EvaluatedRun> runs;
  const auto& groups = result.problem.groups;
  for (const auto& group : groups) {
    for (const auto& run : group.runs) {
      if (!run.evaluation) continue;
      runs.push_back(run.evaluation->run);
      runs.back().algorithm = group.label;
    }
  }
  if (runs.empty()) return;
  const bool has_baseline = !result.groups[result.baseline].seeds.empty();
  const std::string reference = has_baseline ? groups[result.baseline].label : runs.front().algorithm;
  try {
    for (const auto& row : compare(runs, reference)) {
      for (size_t g = 0; g < groups.size(); ++g) {
        if (groups[g].label != row.algorithm) continue;
        auto& own = result.groups[g];
        own.over_tasks = row.result;
        own.tasks = mean_over_runs(row.runs);
        if (has_baseline && g != result.baseline) own.difference = row.difference;
      }
    }
    if (!has_baseline) result.not_paired = "the baseline has not been evaluated yet";
  } catch (const UsageError& error) {
    result.not_paired = error.what();
    for (size_t g = 0; g < groups.size(); ++g) {
      auto& own = result.groups[g];
      if (own.seeds.size() != 1) continue;  // of several seeds the tasks may differ
      for (const auto& run : groups[g].runs) {
        if (run.evaluation) own.tasks = run.evaluation->run.per_task;
      }
      own.over_tasks = mean_statistics(own.tasks);
    }
  }
}

void add_improvements(ProblemResult& result) {
  const auto& reference = result.groups[result.baseline].seeds;
  if (reference.empty()) return;
  const auto baseline = oriented({reference}, result.problem.metric);
  for (size_t g = 0; g < result.groups.size(); ++g) {
    auto& own = result.groups[g];
    if (g == result.baseline || own.seeds.empty()) continue;
    own.improvement = estimate_improvement(oriented({own.seeds}, result.problem.metric), baseline);
  }
}

ProblemResult result_of(RunProblem problem, const std::string& baseline) {
  ProblemResult result{.problem = std::move(problem), .groups = {}, .not_paired = ""};
  const auto& groups = result.problem.groups;
  result.baseline = find_baseline(groups, baseline.empty() ? "maml" : baseline).value_or(0);
  std::vector<SeedScores> scores;
  for (const auto& group : groups) {
    GroupResult own;
    for (const auto& run : group.runs) {
      if (run.evaluation) own.seeds.push_back(mean_statistics(run.evaluation->run.per_task).mean);
    }
    if (!own.seeds.empty()) own.over_seeds = estimate_interquartile_mean({own.seeds});
    own.learning = learning_curve(group);
    own.adaptation = adaptation_curve(group);
    scores.push_back({own.seeds});
    result.groups.push_back(std::move(own));
  }
  const auto profiles = performance_profiles(scores, result.problem.metric);
  for (size_t g = 0; g < profiles.size(); ++g) result.groups[g].profile = profiles[g];
  add_tasks(result);
  add_improvements(result);
  return result;
}

// Why there is nothing to say of all problems together; "" if there is.
std::string reason_against_across(const std::vector<ProblemResult>& problems) {
  std::set<std::string> first;
  for (const auto& group : problems.front().problem.groups) first.insert(group.label);
  for (const auto& problem : problems) {
    if (problem.problem.metric != "accuracy")
      return concat("results of ", problem.problem.label, " (", problem.problem.metric,
                    ") are not on one scale with the others; accuracies alone are put together");
    std::set<std::string> labels;
    for (const auto& group : problem.problem.groups) labels.insert(group.label);
    if (labels != first) return "not every problem has the same algorithms";
    for (const auto& group : problem.groups) {
      if (group.seeds.empty()) return "some algorithms have not been evaluated on every problem";
    }
  }
  return "";
}

AcrossProblems across_problems(const std::vector<ProblemResult>& problems) {
  AcrossProblems out;
  const auto& first = problems.front();
  std::vector<SeedScores> scores;
  for (const auto& group : first.problem.groups) {
    SeedScores own;
    for (const auto& problem : problems) {
      for (size_t g = 0; g < problem.groups.size(); ++g) {
        if (problem.problem.groups[g].label == group.label) own.push_back(problem.groups[g].seeds);
      }
    }
    out.labels.push_back(group.label);
    out.over_seeds.push_back(estimate_interquartile_mean(own));
    scores.push_back(std::move(own));
  }
  for (size_t g = 0; g < scores.size(); ++g) {
    const bool itself = g == first.baseline;
    out.improvement.push_back(
        itself ? std::nullopt : std::optional(estimate_improvement(scores[g], scores[first.baseline])));
  }
  out.profiles = performance_profiles(scores, first.problem.metric);
  return out;
}

}  // namespace

std::optional<bool> tasks_share_samples(const RunProblem& problem) {
  if (problem.metric != "accuracy") return std::nullopt;
  for (const auto& group : problem.groups) {
    for (const auto& run : group.runs) {
      if (run.evaluation) return run.evaluation->run.test.at("replacement") == "true";
    }
  }
  return std::nullopt;
}

ReportResults report_results(std::vector<RunProblem> problems, const std::string& baseline) {
  if (!baseline.empty()) require_baseline(problems, baseline);
  ReportResults out;
  for (auto& problem : problems) out.problems.push_back(result_of(std::move(problem), baseline));
  if (out.problems.size() < 2) return out;
  out.not_across = reason_against_across(out.problems);
  if (out.not_across.empty()) out.across = across_problems(out.problems);
  return out;
}

}  // namespace innerloop
