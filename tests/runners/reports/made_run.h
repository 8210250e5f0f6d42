// Run directories made by hand, so that what a report should find in them is known.
#pragma once

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "runners/experiment/config.h"

namespace innerloop {

using Flags = std::vector<std::pair<std::string, std::string>>;

inline ExperimentConfig made_config(const Flags& flags) {
  std::vector<Setting> settings;
  for (const auto& [key, value] : flags) settings.push_back({key, value, "--" + key});
  return make_config({}, settings);
}

// A run on `dataset` (sine: mse; strokes: accuracy) with three rows of progress, and, if there are any tasks,
// an evaluation of them: tasks[t][k] after k steps.
struct MadeRun {
  std::string dataset = "strokes", algorithm = "maml";
  uint64_t seed = 1;
  std::vector<std::vector<double>> tasks = {};
  Flags more = {};
  std::vector<double> progress = {0.2, 0.3, 0.4};
  std::string evaluation = "bench";
  int evaluation_seed = 1;
  bool replacement = true;
};

inline std::filesystem::path make_run(const std::filesystem::path& folder, const MadeRun& run) {
  std::filesystem::create_directories(folder);
  Flags flags{{"dataset.name", run.dataset},
              {"algorithm", run.algorithm},
              {"seed", std::to_string(run.seed)},
              {"meta.iterations", "300"}};
  const auto given = [&](const std::string& key) {
    return std::any_of(run.more.begin(), run.more.end(), [&](const auto& flag) { return flag.first == key; });
  };
  if (run.dataset != "sine") flags.emplace_back("dataset.ways", "5");
  if (run.dataset != "sine" && !given("dataset.shots")) flags.emplace_back("dataset.shots", "1");
  flags.insert(flags.end(), run.more.begin(), run.more.end());
  write_file_atomically(folder / "config.ini", format_config(made_config(flags)));
  const std::string metric = run.dataset == "sine" ? "mse" : "accuracy";
  std::string rows = "iteration,query_loss,query_" + metric + ",milliseconds\n";
  for (size_t i = 0; i < run.progress.size(); ++i)
    rows += concat(100 * (i + 1), ",1,", run.progress[i], ",2.5\n");
  write_file_atomically(folder / "progress.csv", rows);
  if (run.tasks.empty()) return folder;
  nlohmann::json evaluation{{"algorithm", run.algorithm},
                            {"meta_iterations", 300},
                            {"dataset", run.dataset},
                            {"data_digest", ""},
                            {"ways", 5},
                            {"shots", 1},
                            {"queries", 15},
                            {"tasks", run.tasks.size()},
                            {"seed", run.evaluation_seed},
                            {"replacement", run.replacement},
                            {"overrides", nlohmann::json::object()}};
  for (const auto& task : run.tasks) evaluation["per_task"].push_back({{metric, task}});
  write_file_atomically(folder / (run.evaluation + ".json"), evaluation.dump());
  return folder;
}

}  // namespace innerloop
