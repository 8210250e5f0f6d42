#include "runners/experiment/supervised_json.h"

#include "runners/experiment/json_values.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;

std::string order_name(const InnerLoopConfig& inner) {
  return inner.steps == 0 ? "none" : inner.first_order ? "first" : "second";
}

ordered_json classes_json(const std::vector<ClassResult>& classes) {
  ordered_json out = ordered_json::array();
  for (const auto& one : classes) {
    out.push_back({{"name", one.name},
                   {"queries", one.queries},
                   {"accuracy", one.accuracy()},
                   {"taken_for", ordered_json(one.taken_for)}});
  }
  return out;
}

ordered_json per_task_json(const SupervisedResult& result, const std::string& metric) {
  ordered_json out = ordered_json::array();
  for (size_t task = 0; task < result.outcomes.metrics.size(); ++task) {
    ordered_json one = ordered_json::object();
    if (!result.classes.empty()) {
      for (const int64_t place : result.outcomes.classes.at(task))
        one["classes"].push_back(result.class_names.at(static_cast<size_t>(place)));
    }
    one[metric] = result.outcomes.metrics[task];
    out.push_back(one);
  }
  return out;
}

}  // namespace

std::string supervised_json(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                            const SupervisedResult& result) {
  const auto& c = learner.config();
  const auto& spec = learner.dataset().spec();
  const auto& evaluation = config.supervised_evaluation;
  const EpisodeShape shape = learner.evaluation_shape(evaluation);
  const std::string mean = metric_name(spec.classification) + "_mean";
  ordered_json out;
  out["dataset"] = spec.name;
  out["data_digest"] = learner.dataset().digest();
  out["ways"] = shape.ways;
  out["shots"] = shape.shots;
  out["queries"] = shape.queries;
  out["tasks"] = result.outcomes.metrics.size();
  out["replacement"] = evaluation.replacement;
  out["seed"] = evaluation.seed;
  out["overrides"] = result.overrides;
  out["steps"] = ordered_json::array();
  for (const auto& step : result.steps) {
    out["steps"].push_back({{"step", step.step}, {mean, step.mean}, {"ci95", or_null(step.ci95)}});
  }
  for (const auto& one : result.presentations) {
    out["presentations"].push_back(
        {{"presentation", one.step}, {mean, one.mean}, {"ci95", or_null(one.ci95)}});
  }
  out["published"] = nullptr;
  for (const auto& row : result.published) {
    out["published"].push_back(
        {{"step", row.step == kNotStated ? ordered_json(nullptr) : ordered_json(row.step)},
         {mean, row.value},
         {"interval", row.interval > 0 ? ordered_json(row.interval) : ordered_json(nullptr)},
         {"interval_over", row.interval_kind},
         {"source", row.source},
         {"protocol", published_protocol(row)}});
  }
  out["protocol_differences"] =
      result.published.empty()
          ? ordered_json(nullptr)
          : ordered_json(protocol_differences(config, result.published.front(), result.meta_iterations));
  out["milliseconds_per_iteration"] = or_null(result.milliseconds);
  out["algorithm"] = config.algorithm();
  out["order"] = order_name(c.inner);
  out["loss_reduction"] = c.loss_reduction;
  out["effective_inner_step_size"] =
      or_null(effective_step_size(tested_config(learner, config), learner.method().step_size()));
  out["batch_norm"] = c.network.batch_norm;
  out["protocol"] = spec.protocol;
  out["meta_iterations"] = result.meta_iterations;
  out["selected_iteration"] = result.selected_iteration;
  out["baselines"] = nullptr;
  const auto baseline = [&](const char* name, const std::optional<MetricStatistics>& found) {
    if (found) out["baselines"][name] = {{mean, found->mean}, {"ci95", or_null(found->ci95)}};
  };
  baseline("nearest_neighbour_pixels", result.nearest_on_pixels);
  baseline("nearest_neighbour_features", result.nearest_on_features);
  if (!result.classes.empty()) out["classes"] = classes_json(result.classes);
  out["per_task"] = per_task_json(result, metric_name(spec.classification));
  return out.dump(2) + "\n";
}

}  // namespace innerloop
