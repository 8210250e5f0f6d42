#include "runners/experiment/export_about.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/paths.h"
#include "meta/algorithms/registry.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

std::string shape_text(const std::vector<int64_t>& sample) {
  std::string text = "[N";
  for (const int64_t size : sample) text += concat(", ", size);
  return text + "]";
}

std::string batch_norm_text(const std::string& mode) {
  if (mode == "batch") {
    return "batch: of the samples given together, so that a prediction depends on the samples beside it; in "
           "a "
           "task the query samples are one batch (prototypical, matching, r2d2, siamese and their relatives: "
           "support and query samples together; baseline_nearest_neighbour: each set for itself)";
  }
  if (mode == "per_task_running")
    return "per_task_running: of the task's support samples; a prediction depends on no other query";
  if (mode == "global_running") return "global_running: averages over training, which are in the file";
  return "none";
}

}  // namespace

About about_run(const TrainedRun& run) {
  const auto& meta = run.config.meta();
  const auto folder = std::filesystem::absolute(run.directory.root() / "").parent_path().filename();
  About about{{"innerloop", version()},
              {"run", folder.string()},
              {"algorithm", run.config.algorithm()},
              {"paper", find_algorithm(run.config.algorithm()).paper},
              {"seed", concat(meta.seed)},
              {"meta_iterations", concat(run.checkpoint.iteration)}};
  about[run.config.side == Side::kPolicy ? "environment" : "dataset"] = run.config.tasks();
  if (!run.checkpoint.data.empty()) about["data_digest"] = run.checkpoint.data;
  return about;
}

About about_samples(const SupervisedMetaLearner& learner, const ExperimentConfig& config) {
  const auto& spec = learner.dataset().spec();
  const bool images = spec.input.size() == 3;
  About about{{"input", concat("float32 ", shape_text(spec.input),
                               images ? ": samples, channels, height, width" : ": samples, inputs")},
              {"input_shape", nlohmann::json(spec.input).dump()},
              {"preprocessing", spec.protocol},
              {"batch_norm", batch_norm_text(config.supervised.network.batch_norm)}};
  for (const auto& key : key_table(Side::kSupervised).keys_of(config)) {
    if (section_of(key.name) == "dataset" && key.name != "dataset.path") about[key.name] = key.get(&config);
  }
  if (spec.classification) {
    about["ways"] = concat(config.supervised.shape.ways);
    about["labels"] = "label i is the i-th class of the task's support set";
  }
  return about;
}

About about_observations(const EnvironmentSpec& environment, const EnvironmentConfig& config) {
  const bool discrete = environment.action_kind == ActionKind::kDiscrete;
  About about{{"input", concat("float32 ", shape_text({environment.observation_size}),
                               ": observations, their entries as the environment gives them",
                               config.observe_task ? ", the task's parameters last" : "")},
              {"input_shape", nlohmann::json(std::vector<int64_t>{environment.observation_size}).dump()},
              {"actions", concat(environment.action_size, discrete ? " choices" : " numbers")},
              {"horizon", concat(environment.horizon)},
              {"task_parameters", nlohmann::json(environment.task_parameters).dump()}};
  if (!environment.observation_names.empty())
    about["observation_names"] = nlohmann::json(environment.observation_names).dump();
  if (!environment.action_names.empty())
    about["action_names"] = nlohmann::json(environment.action_names).dump();
  return about;
}

About about_evaluation(const ExperimentConfig& config) {
  About about;
  for (const auto& key : key_table(config.side).keys_of(config)) {
    if (section_of(key.name) == "evaluation") about[key.name] = key.get(&config);
  }
  return about;
}

}  // namespace innerloop
