#include "runners/reports/report_data.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/paths.h"
#include "runners/experiment/json_values.h"
#include "runners/experiment/progress.h"
#include "runners/reports/run_commands.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;

ordered_json interval_json(const std::optional<Interval>& interval) {
  return interval ? ordered_json{interval->low, interval->high} : ordered_json(nullptr);
}

void add_estimate(ordered_json& out, const std::string& name, const std::optional<SeedEstimate>& estimate) {
  out[name] = estimate ? ordered_json(estimate->value) : ordered_json(nullptr);
  out[name + "_ci95"] = estimate ? interval_json(estimate->ci95) : ordered_json(nullptr);
}

ordered_json points_json(const std::vector<ReportPoint>& points) {
  ordered_json out = ordered_json::array();
  for (const auto& [x, y] : points)
    out.push_back({{"x", x}, {"value", y.value}, {"ci95", interval_json(y.ci95)}});
  return out;
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json run_json(const RunSummary& run) {
  ordered_json out{{"run", run.directory.string()},
                   {"seed", run.seed()},
                   {"meta_iterations", run.done},
                   {"of", run.config.iterations},
                   {"milliseconds_per_iteration", or_null(run.milliseconds)},
                   {"evaluation", nullptr},
                   {"mean", nullptr},
                   {"commands", commands_of(run)}};
  if (run.evaluation) {
    out["evaluation"] = run.evaluation->name;
    out["mean"] = mean_statistics(run.evaluation->run.per_task).mean;
  }
  return out;
}

ordered_json group_json(const RunGroup& group, const GroupResult& own) {
  ordered_json out{{"algorithm", group.label}, {"seeds", own.seeds}};
  add_estimate(out, "interquartile_mean", own.over_seeds);
  out["mean_over_tasks"] = own.over_tasks ? ordered_json(own.over_tasks->mean) : ordered_json(nullptr);
  out["ci95_over_tasks"] = own.over_tasks ? or_null(own.over_tasks->ci95) : ordered_json(nullptr);
  out["difference"] = own.difference ? ordered_json(own.difference->mean) : ordered_json(nullptr);
  out["difference_ci95"] = own.difference ? or_null(own.difference->ci95) : ordered_json(nullptr);
  add_estimate(out, "probability_of_improvement", own.improvement);
  out["learning"] = points_json(own.learning);
  out["adaptation"] = points_json(own.adaptation);
  out["performance_profile"] = points_json(own.profile);
  out["per_task"] = own.tasks;
  out["runs"] = ordered_json::array();
  for (const auto& run : group.runs) out["runs"].push_back(run_json(run));
  return out;
}

ordered_json problem_json(const ProblemResult& result) {
  const auto& problem = result.problem;
  ordered_json out{{"problem", problem.label},
                   {"metric", problem.metric},
                   {"baseline", problem.groups[result.baseline].label},
                   {"not_paired", text_or_null(result.not_paired)},
                   {"tasks_share_samples", nullptr},
                   {"configuration_differences", ordered_json::object()},
                   {"algorithms", ordered_json::array()}};
  if (const auto shared = tasks_share_samples(problem)) out["tasks_share_samples"] = *shared;
  for (const auto& difference : key_differences(problem.groups))
    out["configuration_differences"][difference.key] = difference.values;
  for (size_t g = 0; g < result.groups.size(); ++g)
    out["algorithms"].push_back(group_json(problem.groups[g], result.groups[g]));
  return out;
}

ordered_json across_json(const AcrossProblems& across) {
  ordered_json out = ordered_json::array();
  for (size_t g = 0; g < across.labels.size(); ++g) {
    ordered_json own{{"algorithm", across.labels[g]}};
    add_estimate(own, "interquartile_mean", across.over_seeds[g]);
    add_estimate(own, "probability_of_improvement", across.improvement[g]);
    own["performance_profile"] = points_json(across.profiles[g]);
    out.push_back(std::move(own));
  }
  return out;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string csv_row(const std::string& problem, const std::string& metric, const std::string& group,
                    const RunSummary& run, size_t steps) {
  std::vector<std::string> cells{problem,
                                 group,
                                 std::to_string(run.seed()),
                                 run.directory.string(),
                                 metric,
                                 std::to_string(run.done),
                                 std::to_string(run.config.iterations),
                                 run.milliseconds ? cell(*run.milliseconds) : ""};
  const size_t before = cells.size();
  cells.resize(before + 3 + steps);
  if (run.evaluation) {
    const auto& per_step = run.evaluation->per_step;
    cells[before] = run.evaluation->name;
    cells[before + 1] = std::to_string(per_step.front().size());
    for (size_t k = 0; k < per_step.size(); ++k)
      cells[before + 2 + k] = cell(mean_statistics(per_step[k]).mean);
    const auto interval = mean_statistics(per_step.back()).ci95;
    if (interval) cells.back() = cell(*interval);
  }
  for (auto& text : cells) text = csv_cell(text);
  return join(cells, ",") + "\n";
}

}  // namespace

std::string report_json(const ReportResults& results, const std::string& command) {
  ordered_json out{{"innerloop", version()}, {"command", command}, {"problems", ordered_json::array()}};
  for (const auto& problem : results.problems) out["problems"].push_back(problem_json(problem));
  out["across_problems"] = results.across ? across_json(*results.across) : ordered_json(nullptr);
  out["not_across_problems"] = text_or_null(results.not_across);
  return out.dump(2) + "\n";
}

std::string report_csv(const ReportResults& results) {
  size_t steps = 0;
  for (const auto& result : results.problems) {
    for (const auto& group : result.problem.groups) {
      for (const auto& run : group.runs) {
        if (run.evaluation) steps = std::max(steps, run.evaluation->per_step.size());
      }
    }
  }
  std::string out =
      "problem,algorithm,seed,run,metric,meta_iterations,of,milliseconds_per_iteration,evaluation,tasks";
  for (size_t k = 0; k < steps; ++k) out += concat(",step_", k);
  out += ",ci95\n";
  for (const auto& result : results.problems) {
    for (const auto& group : result.problem.groups) {
      for (const auto& run : group.runs)
        out += csv_row(result.problem.label, result.problem.metric, group.label, run, steps);
    }
  }
  return out;
}

}  // namespace innerloop
