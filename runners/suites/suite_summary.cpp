#include "runners/suites/suite_summary.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "base/error.h"
#include "base/paths.h"
#include "base/settings.h"
#include "runners/experiment/json_values.h"
#include "runners/experiment/progress.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;

// In CSV: quoted where it has to be.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_row(std::vector<std::string> cells) {
  for (auto& one : cells) one = csv_cell(one);
  return join(cells, ",") + "\n";
}

std::vector<std::string> searched_keys(const SuitePlan& plan) {
  std::vector<std::string> keys;
  if (plan.runs.empty()) return keys;
  for (const auto& setting : plan.runs.front().point) keys.push_back(setting.key);
  return keys;
}

std::vector<std::string> searched_values(const SearchPoint& point) {
  std::vector<std::string> values;
  for (const auto& setting : point) values.push_back(setting.value);
  return values;
}

template <class Cells>
void append(std::vector<std::string>& to, const Cells& cells) {
  to.insert(to.end(), cells.begin(), cells.end());
}

std::string figure_of(const std::string& metric, double value) {
  std::ostringstream out;
  if (metric.rfind("accuracy", 0) == 0) {
    out << std::fixed << std::setprecision(2) << 100 * value;
  } else if (metric == "return") {
    out << std::fixed << std::setprecision(2) << value;
  } else {
    out << std::setprecision(4) << value;
  }
  return out.str();
}

std::string unit_of(const std::string& metric) { return metric.rfind("accuracy", 0) == 0 ? " %" : ""; }

std::string file_of_log(const SuitePlan& plan, const SuiteRun& run) {
  return SuiteFolder{plan.directory}.log(run.id).string();
}

}  // namespace

std::string budget_text(const SuitePlan& plan) {
  const auto& s = plan.settings;
  if (s.iterations > 0) return concat(s.iterations, " meta-iterations each");
  if (s.minutes > 0)
    return concat(s.minutes, " CPU minutes each (measured once for each name, in meta-iterations)");
  return "meta-iterations as configured";
}

std::string result_text(const RunResult& result) {
  return concat(figure_of(result.metric, result.value),
                result.ci95 ? " +-" + figure_of(result.metric, *result.ci95) : "", unit_of(result.metric));
}

std::string suite_csv(const SuitePlan& plan, const SuiteOutcome& outcome) {
  std::vector<std::string> head{"run",  "seed",  "state",      "metric",  "step",  "result",
                                "ci95", "tasks", "iterations", "seconds", "folder"};
  append(head, searched_keys(plan));
  std::string text = csv_row(head);
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    const auto& run = plan.runs[i];
    const auto& found = outcome.runs[i];
    std::vector<std::string> cells{run.name, concat(run.seed), state_name(found.state)};
    if (found.result) {
      const auto& r = *found.result;
      append(cells,
             std::vector<std::string>{r.metric, concat(r.step), cell(r.value), r.ci95 ? cell(*r.ci95) : "",
                                      concat(r.tasks), concat(r.iterations)});
    } else {
      cells.resize(cells.size() + 6);
    }
    append(cells, std::vector<std::string>{cell(found.seconds), run.id});
    append(cells, searched_values(run.point));
    text += csv_row(cells);
  }
  return text;
}

std::string suite_json(const SuitePlan& plan, const SuiteOutcome& outcome) {
  ordered_json out{{"suite", plan.name},
                   {"description", plan.description},
                   {"version", version()},
                   {"budget", budget_text(plan)},
                   {"search", plan.settings.search},
                   {"judged_on", plan.searches() ? "validation tasks" : "test tasks"},
                   {"runs", ordered_json::array()}};
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    const auto& run = plan.runs[i];
    const auto& found = outcome.runs[i];
    ordered_json one{{"run", run.name},
                     {"seed", run.seed},
                     {"state", state_name(found.state)},
                     {"algorithm", run.config.algorithm()},
                     {"tasks_of", run.config.tasks()},
                     {"result", nullptr},
                     {"seconds", found.seconds},
                     {"folder", run.id}};
    for (const auto& setting : run.point) one["searched"][setting.key] = setting.value;
    if (found.result) {
      const auto& r = *found.result;
      one["result"] = {{"metric", r.metric},      {"step", r.step},   {"mean", r.value},
                       {"ci95", or_null(r.ci95)}, {"tasks", r.tasks}, {"meta_iterations", r.iterations}};
    }
    if (!found.error.empty()) one["error"] = found.error;
    if (found.state == RunState::kFailed) one["log"] = concat("logs/", run.id, ".log");
    out["runs"].push_back(one);
  }
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void print_suite(std::ostream& out, const SuitePlan& plan, const SuiteOutcome& outcome) {
  size_t width = 3;
  for (const auto& run : plan.runs) width = std::max(width, run.name.size());
  const int name = static_cast<int>(width) + 2;
  out << std::left << std::setw(name) << "run" << std::right << std::setw(6) << "seed"
      << "  " << std::left << std::setw(12) << "state" << std::right << std::setw(12) << "iterations"
      << std::setw(10) << "time"
      << "  " << (plan.searches() ? "on validation tasks" : "on test tasks") << ", 95 % CI over them\n";
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    const auto& run = plan.runs[i];
    const auto& found = outcome.runs[i];
    out << std::left << std::setw(name) << run.name << std::right << std::setw(6) << run.seed << "  "
        << std::left << std::setw(12) << state_name(found.state) << std::right << std::setw(12)
        << (found.result ? concat(found.result->iterations) : "") << std::setw(10)
        << (found.seconds > 0 ? format_duration(found.seconds) : "") << "  ";
    if (found.result)
      out << found.result->metric << " " << result_text(*found.result) << " after " << found.result->step
          << (found.result->step == 1 ? " step" : " steps");
    out << '\n';
  }
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    if (outcome.runs[i].state != RunState::kFailed) continue;
    out << plan.runs[i].id << " failed: " << outcome.runs[i].error << "\n  "
        << file_of_log(plan, plan.runs[i]) << '\n';
  }
}

std::vector<Candidate> rank_candidates(const SuitePlan& plan, const SuiteOutcome& outcome) {
  std::vector<Candidate> all;
  for (size_t i = 0; i < plan.runs.size(); ++i) {  // seeds of one candidate stand side by side
    const auto& run = plan.runs[i];
    if (all.empty() || all.back().name != run.name)
      all.push_back({.group = run.group, .name = run.name, .point = run.point, .run = i});
    auto& candidate = all.back();
    const auto& result = outcome.runs[i].result;
    if (!result) {
      candidate.whole = false;
      continue;
    }
    const bool first = candidate.seeds++ == 0;
    candidate.metric = result->metric;
    candidate.mean += (result->value - candidate.mean) / static_cast<double>(candidate.seeds);
    candidate.lowest = first ? result->value : std::min(candidate.lowest, result->value);
    candidate.highest = first ? result->value : std::max(candidate.highest, result->value);
    candidate.ci95 = first ? result->ci95 : std::nullopt;
  }
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.whole != b.whole) return a.whole;
    if (!a.whole) return false;
    return RunResult{.metric = a.metric}.higher_is_better() ? a.mean > b.mean : a.mean < b.mean;
  };
  for (auto first = all.begin(); first != all.end();) {
    const auto last =
        std::find_if(first, all.end(), [&](const Candidate& c) { return c.group != first->group; });
    std::stable_sort(first, last, better);
    first = last;
  }
  return all;
}

std::string ranking_csv(const SuitePlan& plan, const std::vector<Candidate>& ranking) {
  std::vector<std::string> head{"run", "rank", "candidate"};
  append(head, searched_keys(plan));
  append(head, std::vector<std::string>{"metric", "mean", "lowest", "highest", "ci95", "seeds"});
  std::string text = csv_row(head), group;
  int64_t rank = 0;
  for (const auto& c : ranking) {
    rank = c.group == group ? rank + 1 : 1;
    group = c.group;
    std::vector<std::string> cells{c.group, c.whole ? concat(rank) : "", c.name};
    append(cells, searched_values(c.point));
    if (c.seeds > 0) {
      append(cells, std::vector<std::string>{c.metric, cell(c.mean), cell(c.lowest), cell(c.highest),
                                             c.ci95 ? cell(*c.ci95) : "", concat(c.seeds)});
    } else {
      append(cells, std::vector<std::string>{"", "", "", "", "", "0"});
    }
    text += csv_row(cells);
  }
  return text;
}

void print_ranking(std::ostream& out, const SuitePlan& plan, const std::vector<Candidate>& ranking) {
  std::string group;
  int64_t rank = 0;
  for (const auto& c : ranking) {
    if (c.group != group) {
      rank = 0;
      out << '\n' << c.group << ", " << budget_text(plan) << ", judged on validation tasks";
      out << (plan.settings.seeds.size() == 1 ? "; +-: 95 % CI over tasks\n"
                                              : "; in brackets: lowest and highest seed\n");
    }
    group = c.group;
    out << std::setw(4) << (c.whole ? concat(++rank) : "-") << "  ";
    if (c.whole) {
      out << c.metric << " " << figure_of(c.metric, c.mean);
      if (c.seeds > 1)
        out << " [" << figure_of(c.metric, c.lowest) << ", " << figure_of(c.metric, c.highest) << "]";
      if (c.ci95) out << " +-" << figure_of(c.metric, *c.ci95);
      out << unit_of(c.metric);
    } else {
      out << "not done";
    }
    out << "   " << c.name << ": " << point_text(c.point) << '\n';
  }
}

std::string best_configuration(const SuitePlan& plan, const Candidate& best, size_t of) {
  ExperimentConfig config = plan.runs[best.run].config;
  config.threads = 0;
  return concat("# The best of ", of, " candidates of the suite ", plan.name, ", run ", best.group, ": ",
                point_text(best.point), ".\n# ", best.metric, " ", format_number(best.mean),
                " on validation tasks, ", budget_text(plan), ", ", best.seeds,
                best.seeds == 1 ? " seed" : " seeds", ". Nothing here was chosen by test tasks.\n",
                format_config(config));
}

}  // namespace innerloop
