#include "runners/evaluation_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;

std::vector<double> step_scales(const EvaluationConfig& evaluation) {
  std::vector<double> scales;
  for (int64_t k = 0; k < evaluation.steps; ++k) {
    scales.push_back(k == 0 ? evaluation.first_step_scale : evaluation.later_step_scale);
  }
  return scales;
}

ordered_json or_null(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

}  // namespace

std::vector<StepStatistics> statistics(const Evaluation& evaluation, const EnvironmentSpec& environment) {
  require(!evaluation.tasks.empty(), "an evaluation without tasks has no statistics");
  const auto n = static_cast<double>(evaluation.tasks.size());
  std::vector<StepStatistics> steps(evaluation.tasks.front().returns.size());
  for (size_t k = 0; k < steps.size(); ++k) {
    auto& step = steps[k];
    step.step = static_cast<int64_t>(k);
    double successes = 0;
    for (const auto& task : evaluation.tasks) {
      require(std::isfinite(task.returns.at(k)), "the return after ", k, " gradient steps is ",
              task.returns[k]);
      step.return_mean += task.returns[k] / n;
      successes += task.successes.at(k) / n;
    }
    if (environment.defines_success) step.success_rate = successes;
    if (evaluation.tasks.size() == 1) continue;
    double squares = 0;
    for (const auto& task : evaluation.tasks) squares += std::pow(task.returns[k] - step.return_mean, 2);
    step.return_std = std::sqrt(squares / (n - 1));
    step.return_ci95 = 1.96 * *step.return_std / std::sqrt(n);
  }
  return steps;
}

std::optional<std::vector<double>> evaluation_step_sizes(const ExperimentConfig& config) {
  if (config.learner.inner.step_sizes != "fixed") return std::nullopt;
  auto sizes = step_scales(config.evaluation);
  for (double& size : sizes) size *= config.learner.inner.step_size;
  return sizes;
}

std::string evaluation_json(const ExperimentConfig& config, const EnvironmentSpec& environment,
                            int64_t meta_iterations, const Evaluation& evaluation) {
  ordered_json out;
  out["environment"] = environment.name;
  out["observe_task"] = config.learner.environment.observe_task;
  out["horizon"] = environment.horizon;
  out["algorithm"] = config.algorithm;
  out["meta_iterations"] = meta_iterations;
  out["tasks"] = evaluation.tasks.size();
  out["trajectories"] = config.evaluation.trajectories;
  out["seed"] = config.evaluation.seed;
  out["estimator"] = config.learner.estimator;
  out["first_order"] = config.learner.inner.first_order;
  const auto sizes = evaluation_step_sizes(config);
  out["step_sizes"] = sizes ? ordered_json(*sizes) : ordered_json(nullptr);
  out["step_scales"] = step_scales(config.evaluation);
  out["steps"] = ordered_json::array();
  for (const auto& step : statistics(evaluation, environment)) {
    ordered_json entry{{"step", step.step},
                       {"return_mean", step.return_mean},
                       {"return_ci95", or_null(step.return_ci95)},
                       {"return_std", or_null(step.return_std)}};
    if (step.success_rate) entry["success_rate"] = *step.success_rate;
    out["steps"].push_back(entry);
  }
  out["per_task"] = ordered_json::array();
  for (const auto& task : evaluation.tasks) {
    ordered_json parameters = ordered_json::object();
    for (int64_t i = 0; i < environment.task_size(); ++i) {
      parameters[environment.task_parameters[static_cast<size_t>(i)]] = task.task[i];
    }
    ordered_json entry{{"task", parameters}, {"returns", task.returns}};
    if (environment.defines_success) entry["success_rates"] = task.successes;
    out["per_task"].push_back(entry);
  }
  return out.dump(2) + "\n";
}

}  // namespace innerloop
