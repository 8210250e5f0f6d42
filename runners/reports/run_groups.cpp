#include "runners/reports/run_groups.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

using Values = std::map<std::string, std::string>;

// What tells one algorithm from another: what determines a training but its seed, and how long it is.
std::vector<std::pair<std::string, std::string>> group_keys(const ExperimentConfig& config) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& key : key_table(config.side).keys_of(config)) {
    if (key.name == "seed" || (!key.determines_training && key.name != "meta.iterations")) continue;
    out.emplace_back(key.name, key.get(&config));
  }
  return out;
}

Values group_values(const RunGroup& group) {
  const auto keys = group_keys(group.runs.front().compared);
  return {keys.begin(), keys.end()};
}

std::string problem_label(const ExperimentConfig& config) {
  if (config.side == Side::kPolicy) return config.tasks();
  const auto& evaluation = config.supervised_evaluation;
  const auto& shape = config.supervised.shape;
  const int64_t ways = evaluation.ways > 0 ? evaluation.ways : shape.ways;
  const int64_t shots = evaluation.shots > 0 ? evaluation.shots : shape.shots;
  return concat(config.tasks(), ", ", ways > 1 ? concat(ways, "-way ") : "", shots, "-shot");
}

// The label and everything else that makes tasks other tasks. What a data set's training episodes are shaped
// like belongs to the algorithm: its tests are what is compared.
std::string problem_identity(const ExperimentConfig& config) {
  std::string text = problem_label(config);
  for (const auto& [key, value] : group_keys(config)) {
    const bool shape = key == "dataset.ways" || key == "dataset.shots" || key == "dataset.queries" ||
                       key == "dataset.most_shots";
    if ((key.starts_with("environment.") || key.starts_with("dataset.")) && !shape)
      text += concat("; ", key, " = ", value);
  }
  return text;
}

// The algorithm, and in what it differs from others of its name.
void label_groups(std::vector<RunGroup>& groups) {
  for (auto& group : groups) {
    const std::string& name = group.runs.front().config.algorithm();
    std::vector<RunGroup> of_its_name;
    for (const auto& other : groups) {
      if (other.runs.front().config.algorithm() == name) of_its_name.push_back(other);
    }
    group.label = name;
    const auto own = group_values(group);
    for (const auto& difference : key_differences(of_its_name)) {
      const auto value = own.find(difference.key);
      if (value != own.end()) group.label += concat(", ", difference.key, " = ", value->second);
    }
  }
}

void label_problems(std::vector<RunProblem>& problems, const std::vector<std::string>& identities) {
  for (size_t i = 0; i < problems.size(); ++i) {
    const bool alone = std::count_if(problems.begin(), problems.end(), [&](const RunProblem& other) {
                         return problem_label(other.groups.front().runs.front().config) == problems[i].label;
                       }) == 1;
    if (!alone) problems[i].label = identities[i];
  }
}

}  // namespace

std::vector<RunProblem> group_runs(std::vector<RunSummary> runs) {
  require_usage(!runs.empty(), "nothing to report: no run given");
  std::vector<RunProblem> problems;
  std::vector<std::string> identities;
  std::map<std::string, size_t> problem_at;
  for (auto& run : runs) {
    const std::string identity = problem_identity(run.compared);
    const auto [found, is_new] = problem_at.emplace(identity, problems.size());
    if (is_new) {
      problems.push_back({.label = problem_label(run.config), .metric = run.metric, .groups = {}});
      identities.push_back(identity);
    }
    auto& groups = problems[found->second].groups;
    auto& metric = problems[found->second].metric;
    if (metric.empty()) metric = run.metric;
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const RunGroup& other) {
      return group_keys(other.runs.front().compared) == group_keys(run.compared);
    });
    if (group == groups.end()) {
      groups.push_back({.label = "", .runs = {std::move(run)}});
      continue;
    }
    for (const auto& other : group->runs) {
      require_usage(other.seed() != run.seed(), "'", other.directory.string(), "' and '",
                    run.directory.string(), "' are the same training (configuration and seed ", run.seed(),
                    "): give one of them");
    }
    group->runs.push_back(std::move(run));
  }
  for (auto& problem : problems) {
    for (auto& group : problem.groups) {
      std::stable_sort(group.runs.begin(), group.runs.end(),
                       [](const RunSummary& a, const RunSummary& b) { return a.seed() < b.seed(); });
    }
    label_groups(problem.groups);
  }
  label_problems(problems, identities);
  return problems;
}

std::vector<KeyDifference> key_differences(const std::vector<RunGroup>& groups) {
  std::vector<std::string> order;
  std::vector<Values> values;
  for (const auto& group : groups) {
    values.push_back(group_values(group));
    for (const auto& [key, value] : group_keys(group.runs.front().compared)) {
      if (std::find(order.begin(), order.end(), key) == order.end()) order.push_back(key);
    }
  }
  std::vector<KeyDifference> out;
  for (const auto& key : order) {
    KeyDifference difference{key, {}};
    for (const auto& own : values) difference.values.push_back(own.count(key) != 0 ? own.at(key) : "");
    const auto& all = difference.values;
    if (std::adjacent_find(all.begin(), all.end(), std::not_equal_to<>()) != all.end())
      out.push_back(std::move(difference));
  }
  return out;
}

}  // namespace innerloop
