#include "runners/experiment/evaluation_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "runners/experiment/json_values.h"
#include "runners/experiment/statistics.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;

std::vector<double> step_scales(const PolicyEvaluationConfig& evaluation) {
  std::vector<double> scales;
  for (int64_t k = 0; k < evaluation.steps; ++k) {
    scales.push_back(k == 0 ? evaluation.first_step_scale : evaluation.later_step_scale);
  }
  return scales;
}

ordered_json steps_json(const std::vector<StepStatistics>& steps) {
  ordered_json out = ordered_json::array();
  for (const auto& step : steps) {
    ordered_json entry{{"step", step.step},
                       {"return_mean", step.return_mean},
                       {"return_ci95", or_null(step.return_ci95)},
                       {"return_std", or_null(step.return_std)}};
    if (step.success_rate) entry["success_rate"] = *step.success_rate;
    out.push_back(entry);
  }
  return out;
}

ordered_json task_json(const EnvironmentSpec& environment, const Eigen::VectorXd& task) {
  ordered_json out = ordered_json::object();
  for (int64_t i = 0; i < environment.task_size(); ++i)
    out[environment.task_parameters[static_cast<size_t>(i)]] = task[i];
  return out;
}

}  // namespace

std::vector<StepStatistics> statistics(const PolicyEvaluation& evaluation,
                                       const EnvironmentSpec& environment) {
  require(!evaluation.tasks.empty(), "an evaluation without tasks has no statistics");
  std::vector<StepStatistics> steps;
  for (size_t k = 0; k < evaluation.tasks.front().returns.size(); ++k) {
    std::vector<double> returns, successes;
    for (const auto& task : evaluation.tasks) {
      require(std::isfinite(task.returns.at(k)), "the return after ", k, " gradient steps is ",
              task.returns[k]);
      returns.push_back(task.returns[k]);
      successes.push_back(task.successes.at(k));
    }
    const MeanStatistics found = mean_statistics(returns);
    steps.push_back({.step = static_cast<int64_t>(k),
                     .return_mean = found.mean,
                     .return_std = found.std,
                     .return_ci95 = found.ci95});
    if (environment.defines_success) steps.back().success_rate = mean_statistics(successes).mean;
  }
  return steps;
}

std::vector<TaskGroup> by_task(const PolicyEvaluation& evaluation, const Environment& environment) {
  std::vector<TaskGroup> groups;
  for (const auto& task : environment.finite_tasks()) {
    PolicyEvaluation own;
    for (const auto& one : evaluation.tasks) {
      if (one.task == task) own.tasks.push_back(one);
    }
    if (own.tasks.empty()) continue;
    groups.push_back({environment.task_text(task), task, static_cast<int64_t>(own.tasks.size()),
                      statistics(own, environment.spec())});
  }
  return groups;
}

std::optional<std::vector<double>> evaluation_step_sizes(const PolicyEvaluationConfig& evaluation,
                                                         double step_size) {
  if (std::isnan(step_size)) return std::nullopt;
  auto sizes = step_scales(evaluation);
  for (double& size : sizes) size *= step_size;
  return sizes;
}

std::string evaluation_json(const ExperimentConfig& config, const Environment& environment, double step_size,
                            int64_t meta_iterations, const PolicyEvaluation& evaluation,
                            std::optional<double> random_return,
                            const std::map<std::string, std::string>& overrides) {
  ordered_json out;
  out["environment"] = environment.spec().name;
  out["observe_task"] = config.learner.environment.observe_task;
  out["horizon"] = environment.spec().horizon;
  out["algorithm"] = config.algorithm();
  out["meta_iterations"] = meta_iterations;
  out["tasks"] = evaluation.tasks.size();
  out["trajectories"] = config.evaluation.trajectories;
  out["seed"] = config.evaluation.seed;
  out["estimator"] = config.learner.estimator;
  out["first_order"] = config.learner.inner.first_order;
  const auto sizes = evaluation_step_sizes(config.evaluation, step_size);
  out["step_sizes"] = sizes ? ordered_json(*sizes) : ordered_json(nullptr);
  out["step_scales"] =
      evaluation.of_trials ? ordered_json(nullptr) : ordered_json(step_scales(config.evaluation));
  out["step_is"] = evaluation.of_trials ? "episode" : "gradient step";
  out["overrides"] = overrides;
  out["steps"] = steps_json(statistics(evaluation, environment.spec()));
  const auto groups = by_task(evaluation, environment);
  for (const auto& group : groups) {
    out["by_task"].push_back({{"name", group.name},
                              {"task", task_json(environment.spec(), group.task)},
                              {"tasks", group.tasks},
                              {"steps", steps_json(group.steps)}});
  }
  out["random_return"] = or_null(random_return);
  out["per_task"] = ordered_json::array();
  for (const auto& task : evaluation.tasks) {
    ordered_json entry{{"task", task_json(environment.spec(), task.task)}, {"returns", task.returns}};
    if (environment.spec().defines_success) entry["success_rates"] = task.successes;
    out["per_task"].push_back(entry);
  }
  return out.dump(2) + "\n";
}

}  // namespace innerloop
