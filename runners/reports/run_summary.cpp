#include "runners/reports/run_summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "meta/algorithms/registry.h"
#include "runners/drawing/number_table.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/resolved_config.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {
namespace {

using nlohmann::json;

constexpr size_t kLargestEvaluation = 1 << 28;

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

RunEvaluation parse_evaluation(const json& found, const std::string& name) {
  RunEvaluation out{.name = name, .run = {}, .per_step = {}, .overrides = {}};
  const bool policy = found.contains("environment");
  out.run.algorithm = found.at("algorithm");
  out.run.meta_iterations = found.at("meta_iterations");
  const std::vector<const char*> same_tasks =
      policy
          ? std::vector<const char*>{"environment", "observe_task", "horizon",
                                     "tasks",       "trajectories", "seed"}
          : std::vector<const char*>{"dataset", "data_digest", "ways", "shots", "queries", "tasks", "seed"};
  for (const char* key : same_tasks) out.run.test[key] = text_of(found.at(key));
  if (!policy) out.run.test["replacement"] = found.value("replacement", true) ? "true" : "false";
  if (found.contains("overrides"))
    out.overrides = found.at("overrides").get<std::map<std::string, std::string>>();
  for (const auto& task : found.at("per_task")) {
    const char* values = policy ? "returns" : task.contains("accuracy") ? "accuracy" : "mse";
    out.run.metric = policy ? "return" : values;
    const auto steps = task.at(values).get<std::vector<double>>();
    if (out.per_step.empty()) out.per_step.resize(steps.size());
    require(!steps.empty() && steps.size() == out.per_step.size(), "tasks have different numbers of steps");
    for (size_t k = 0; k < steps.size(); ++k) out.per_step[k].push_back(steps[k]);
  }
  require(!out.per_step.empty(), "it has no tasks");
  out.run.per_task = out.per_step.back();
  return out;
}

std::optional<RunEvaluation> read_evaluation(const std::filesystem::path& directory,
                                             const std::string& name) {
  const auto file = directory / (name + ".json");
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    return parse_evaluation(json::parse(read_file(file, kLargestEvaluation)), name);
  } catch (const std::exception& error) {
    throw Error(concat("'", file.string(), "' is no evaluation: ", error.what()));
  }
}

// Rows whose value is a number.
TrainingCurve curve_of(const NumberTable& table, const std::string& column, const std::string& what) {
  TrainingCurve out{.what = what, .iteration = {}, .value = {}};
  if (table.empty()) return out;
  const auto iteration = table.column("iteration"), value = table.column(column);
  for (size_t i = 0; i < value.size(); ++i) {
    if (!std::isfinite(value[i])) continue;
    out.iteration.push_back(iteration[i]);
    out.value.push_back(value[i]);
  }
  return out;
}

std::string name_of_metric(const std::string& metric) {
  return metric == "mse" ? "mean squared error" : metric;
}

void read_progress(RunSummary& run) {
  const RunDirectory directory(run.directory);
  const NumberTable progress(directory.progress());
  if (!progress.empty()) run.done = static_cast<int64_t>(progress.column("iteration").back());
  if (run.config.side == Side::kPolicy) {
    int64_t steps = 0;  // of training
    while (progress.has(concat("step_", steps + 1, "_return_mean"))) ++steps;
    run.metric = "return";
    run.curve = curve_of(progress, concat("step_", steps, "_return_mean"),
                         concat("return on training tasks after ", steps, " ",
                                find_algorithm(run.config.algorithm()).step, steps == 1 ? "" : "s"));
    return;
  }
  run.milliseconds = recorded_milliseconds(directory.progress());
  run.metric = progress.has("query_accuracy") ? "accuracy" : progress.has("query_mse") ? "mse" : "";
  const NumberTable validation(directory.validation());
  if (!validation.empty()) {
    run.curve =
        curve_of(validation, run.metric + "_mean", name_of_metric(run.metric) + " on validation tasks");
  } else {
    run.curve = curve_of(progress, "query_" + run.metric, name_of_metric(run.metric) + " on training tasks");
  }
}

std::vector<RunFilm> find_films(const std::filesystem::path& videos) {
  const auto with_still = [](const std::filesystem::path& film, std::filesystem::path still) {
    RunFilm out{film, {}};
    if (std::filesystem::exists(still)) out.still = std::move(still);
    return out;
  };
  const auto recorded = videos / "adaptation.mp4";
  if (std::filesystem::exists(recorded)) return {with_still(recorded, videos / "trajectories.png")};
  std::vector<std::filesystem::path> films;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(videos, missing)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("iteration_") && name.ends_with(".mp4")) films.push_back(entry.path());
  }
  if (films.empty()) return {};
  const auto newest = *std::max_element(films.begin(), films.end());
  return {with_still(newest, std::filesystem::path(newest).replace_extension(".png"))};
}

}  // namespace

RunSummary read_run(const std::filesystem::path& directory, const std::string& evaluation) {
  const RunDirectory files(directory);
  require(std::filesystem::exists(files.config()), "'", directory.string(),
          "' is no run directory: it has no config.ini, which `innerloop train` writes");
  RunSummary run{.directory = directory, .config = make_config(read_settings(files.config()))};
  run.compared = without_seed_of_start(run.config);
  require(run.config.online.rounds == 0, "'", directory.string(),
          "' is a run of `innerloop online`, which reports it itself (online.json, online.png)");
  read_progress(run);
  for (const std::string name : {"bench", "adapt"}) {
    if (run.evaluation || (!evaluation.empty() && evaluation != name)) continue;
    run.evaluation = read_evaluation(directory, name);
  }
  if (run.evaluation) {
    run.metric = run.evaluation->run.metric;
    run.evaluation->run.run = directory.string();
    run.evaluation->run.training_seed = std::to_string(run.seed());
    run.evaluation->run.milliseconds = run.milliseconds;
  }
  run.films = find_films(directory / "videos");
  return run;
}

}  // namespace innerloop
