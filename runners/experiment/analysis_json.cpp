#include "runners/experiment/analysis_json.h"

#include <cmath>

#include "runners/experiment/json_values.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;

ordered_json values_json(const std::vector<double>& values, bool only_if_all = false) {
  auto found = defined_statistics(values);
  const int64_t missing = undefined(values);
  if (only_if_all && missing > 0) found.reset();
  ordered_json out;
  out["mean"] = found ? ordered_json(found->mean) : ordered_json(nullptr);
  out["ci95"] = found ? or_null(found->ci95) : ordered_json(nullptr);
  out["tasks"] = static_cast<int64_t>(values.size()) - missing;
  out["per_task"] = ordered_json::array();
  for (const double value : values)
    out["per_task"].push_back(std::isnan(value) ? ordered_json(nullptr) : ordered_json(value));
  return out;
}

void add_representation(ordered_json& out, const Analysis& analysis) {
  const auto& study = *analysis.representation;
  out["before"] = values_json(study.before);
  out["held"] = ordered_json::array();
  for (size_t held = 0; held < study.held.size(); ++held) {
    out["held"].push_back({{"layers", held},
                           {metric_name(analysis.classification), values_json(study.held[held])},
                           {"minus_none", values_json(differences(study.held[held], study.held.front()))}});
  }
  out["layers"] = ordered_json::array();
  for (const auto& layer : study.layers) {
    out["layers"].push_back({{"name", layer.name},
                             {"head", layer.head},
                             {"cka", values_json(layer.cka)},
                             {"cca", values_json(layer.cca)},
                             {"moved", values_json(layer.moved)}});
  }
}

void add_probe(ordered_json& out, const Analysis& analysis) {
  const auto& probe = *analysis.probe;
  out["classes"] = probe.classes;
  out["shots"] = probe.train;
  out["queries"] = probe.test;
  out["features"] = probe.features;
  out["l2"] = analysis.settings.l2;
  out["accuracy"] = values_json(probe.accuracy);
  out["train_accuracy"] = values_json(probe.train_accuracy);
}

void add_permutations(ordered_json& out, const Analysis& analysis) {
  const OrderSpread spread = spread_of(analysis.permutations);
  out["orders"] = analysis.permutations.front().size();
  out["best"] = values_json(spread.best);
  out["best_is"] = "an oracle: chosen by query labels";
  out["mean"] = values_json(spread.mean);
  out["worst"] = values_json(spread.worst);
  out["as_drawn"] = values_json(spread.as_drawn);
  out["best_minus_worst"] = values_json(differences(spread.best, spread.worst));
  out["std"] = values_json(spread.std);
  out["per_order"] = analysis.permutations;
}

void add_steps(ordered_json& out, const Analysis& analysis) {
  out["trained_steps"] = analysis.trained_steps;
  out["measured_on"] = "test tasks: not a selection";
  out["step_sizes"] = ordered_json::array();
  for (size_t i = 0; i < analysis.steps.size(); ++i) {
    const double multiple = analysis.settings.multiples[i];
    ordered_json size{{"multiple", multiple},
                      {"effective", analysis.step_size ? ordered_json(multiple * *analysis.step_size)
                                                       : ordered_json(nullptr)},
                      {"steps", ordered_json::array()}};
    for (size_t k = 0; k < analysis.steps[i].front().size(); ++k) {
      const auto values = task_values(analysis.steps[i], k);
      size["steps"].push_back({{"step", k},
                               {"diverged", undefined(values)},
                               {metric_name(analysis.classification), values_json(values, true)}});
    }
    out["step_sizes"].push_back(size);
  }
}

}  // namespace

std::string analysis_json(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                          const SelectedCheckpoint& selected, const Overrides& overrides,
                          const Analysis& analysis) {
  const auto& spec = learner.dataset().spec();
  const auto& evaluation = config.supervised_evaluation;
  const EpisodeShape shape = learner.evaluation_shape(evaluation);
  ordered_json out;
  out["study"] = names_of(kStudies)[static_cast<size_t>(analysis.settings.study)];
  out["dataset"] = spec.name;
  out["data_digest"] = learner.dataset().digest();
  out["algorithm"] = config.algorithm();
  const bool probes = analysis.settings.study == Study::kLinearProbe;
  if (probes) {
    out["tasks"] = evaluation.tasks;
  } else {
    out["ways"] = shape.ways;
    out["shots"] = shape.shots;
    out["queries"] = shape.queries;
    out["tasks"] = learner.task_count(evaluation);
    out["replacement"] = evaluation.replacement;
    out["steps"] = evaluation.steps;
  }
  out["seed"] = evaluation.seed;
  out["overrides"] = overrides;
  out["metric"] = metric_name(analysis.classification);
  out["loss_reduction"] = learner.config().loss_reduction;
  out["effective_inner_step_size"] = or_null(analysis.step_size);
  out["batch_norm"] = learner.config().network.batch_norm;
  out["protocol"] = spec.protocol;
  out["meta_iterations"] = selected.trained;
  out["selected_iteration"] = selected.iteration;
  if (analysis.settings.study == Study::kRepresentation) {
    add_representation(out, analysis);
  } else if (analysis.settings.study == Study::kPermutations) {
    add_permutations(out, analysis);
  } else if (probes) {
    add_probe(out, analysis);
  } else {
    add_steps(out, analysis);
  }
  return out.dump(2) + "\n";
}

}  // namespace innerloop
