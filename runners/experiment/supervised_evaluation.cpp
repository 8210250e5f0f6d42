#include "runners/experiment/supervised_evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/json_values.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/progress_plot.h"
#include "runners/experiment/statistics.h"
#include "runners/experiment/supervised_plots.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;

std::string order_name(const InnerLoopConfig& inner) {
  return inner.steps == 0 ? "none" : inner.first_order ? "first" : "second";
}

MetricStatistics over_tasks(const std::vector<double>& values, int64_t step) {
  const MeanStatistics found = mean_statistics(values);
  return {.step = step, .mean = found.mean, .ci95 = found.ci95};
}

// "98.70 %" or "0.3512".
std::string figure_text(double value, bool classification) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(classification ? 2 : 4) << (classification ? 100 * value : value)
       << (classification ? " %" : "");
  return text.str();
}

std::string interval_text(const std::optional<double>& half, bool classification) {
  return half ? "+-" + figure_text(*half, classification) : "-";
}

std::string published_text(const PublishedCell& row, bool classification) {
  const std::string half = row.interval > 0 ? " +-" + figure_text(row.interval, classification) : "";
  return concat(figure_text(row.value, classification), half, "  ", row.source);
}

}  // namespace

std::string metric_name(bool classification) { return classification ? "accuracy" : "mse"; }

std::vector<MetricStatistics> statistics(const TaskMetrics& metrics) {
  require(!metrics.empty(), "an evaluation without tasks has no statistics");
  std::vector<MetricStatistics> steps;
  for (size_t k = 0; k < metrics.front().size(); ++k) {
    std::vector<double> values;
    for (const auto& task : metrics) values.push_back(task.at(k));
    steps.push_back(over_tasks(values, static_cast<int64_t>(k)));
  }
  return steps;
}

std::optional<double> effective_step_size(const SupervisedMetaConfig& config, double step_size) {
  if (std::isnan(step_size)) return std::nullopt;
  return config.loss_reduction == "sum_over_ways" ? step_size * static_cast<double>(config.shape.ways)
                                                  : step_size;
}

std::string step_size_text(const SupervisedMetaConfig& config, double step_size) {
  const auto effective = effective_step_size(config, step_size);
  if (!effective) return "learned, or none";
  if (config.loss_reduction != "sum_over_ways") return concat(*effective);
  return concat(step_size, " x ", config.shape.ways, " ways = ", *effective, " on the mean loss");
}

SupervisedResult evaluate_supervised(const SupervisedMetaLearner& learner, const ExperimentConfig& config) {
  const auto& evaluation = config.supervised_evaluation;
  SupervisedResult result;
  auto shown = std::chrono::steady_clock::now();
  result.steps = statistics(learner.evaluate(evaluation, [&](int64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown < std::chrono::seconds(5)) return;
    shown = now;
    std::cerr << "  evaluated " << done << " of " << evaluation.tasks << " test tasks\n";
  }));
  for (const auto& step : result.steps) {
    require(std::isfinite(step.mean), "the ", metric_name(learner.dataset().spec().classification),
            " of test tasks is ", step.mean, " after ", step.step,
            " gradient steps: adaptation diverges; try fewer evaluation.steps or a "
            "smaller inner.step_size");
  }
  if (learner.dataset().spec().classification) {
    result.nearest_on_pixels = over_tasks(learner.nearest_neighbour(evaluation, false), 0);
    result.nearest_on_features = over_tasks(learner.nearest_neighbour(evaluation, true), 0);
  }
  result.published = find_published(config, learner.evaluation_shape(evaluation));
  return result;
}

std::string supervised_json(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                            const SupervisedResult& result) {
  const auto& c = learner.config();
  const auto& spec = learner.dataset().spec();
  const auto& evaluation = config.supervised_evaluation;
  const EpisodeShape shape = learner.evaluation_shape(evaluation);
  const std::string mean = metric_name(spec.classification) + "_mean";
  ordered_json out;
  out["dataset"] = spec.name;
  out["ways"] = shape.ways;
  out["shots"] = shape.shots;
  out["queries"] = shape.queries;
  out["tasks"] = evaluation.tasks;
  out["seed"] = evaluation.seed;
  out["steps"] = ordered_json::array();
  for (const auto& step : result.steps) {
    out["steps"].push_back({{"step", step.step}, {mean, step.mean}, {"ci95", or_null(step.ci95)}});
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
  out["effective_inner_step_size"] = or_null(effective_step_size(c, learner.method().step_size()));
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
  return out.dump(2) + "\n";
}

std::string evaluation_text(const SupervisedMetaLearner& learner, const ExperimentConfig& config) {
  const auto& evaluation = config.supervised_evaluation;
  const EpisodeShape shape = learner.evaluation_shape(evaluation);
  const std::string ways = learner.dataset().spec().classification ? concat(shape.ways, "-way ") : "";
  return concat(evaluation.tasks, " test task", evaluation.tasks == 1 ? "" : "s", ", ", ways, shape.shots,
                "-shot, ", shape.queries, shape.queries == 1 ? " query" : " queries",
                ways.empty() ? "" : " per class", ", seed ", evaluation.seed);
}

void print_result(std::ostream& out, const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                  const SupervisedResult& result) {
  const auto& spec = learner.dataset().spec();
  const bool classification = spec.classification;
  const EpisodeShape shape = learner.evaluation_shape(config.supervised_evaluation);
  const int64_t last = result.steps.back().step;
  out << "gradient steps " << std::setw(10) << metric_name(classification) << std::setw(14) << "95 % CI"
      << (result.published.empty() ? "" : "   published") << '\n';
  for (const auto& step : result.steps) {
    out << std::setw(14) << step.step << ' ' << std::setw(10) << figure_text(step.mean, classification)
        << std::setw(14) << interval_text(step.ci95, classification);
    for (const auto& row : result.published) {
      const bool here = row.step == step.step || (row.step == kNotStated && step.step == last);
      if (here) out << "   " << published_text(row, classification);
    }
    out << '\n';
  }
  const auto baseline = [&](const char* name, const std::optional<MetricStatistics>& found) {
    if (!found) return;
    out << std::setw(25) << figure_text(found->mean, classification) << std::setw(14)
        << interval_text(found->ci95, classification) << "   nearest neighbour on " << name << '\n';
  };
  baseline("pixels", result.nearest_on_pixels);
  baseline("features of the meta-learned network", result.nearest_on_features);
  const auto published = [&](const std::string& what, const PublishedCell& row) {
    out << std::setw(39) << ""
        << "   published " << what << ": " << published_text(row, classification) << '\n';
  };
  for (const auto& row : result.published) {
    if (row.step > last) published(concat("after ", row.step, " steps"), row);
  }
  for (const auto& row : find_published_baseline(config, shape, "nearest_neighbour"))
    published("nearest neighbour", row);

  out << "protocol: " << spec.protocol << '\n';
  if (result.published.empty()) {
    out << "no published number for " << config.algorithm() << " in this shape\n";
  } else {
    const auto& cell = result.published.front();
    out << "published with: " << published_protocol(cell) << '\n';
    const auto differences = protocol_differences(config, cell, result.meta_iterations);
    if (!differences.empty()) out << "otherwise here: " << join(differences, "; ") << '\n';
  }
}

void report_supervised(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                       const RunDirectory& directory, const std::string& name) {
  const auto& root = directory.root();
  const bool best = std::filesystem::exists(directory.best_checkpoint());
  const Checkpoint checkpoint =
      load_checkpoint(best ? directory.best_checkpoint() : directory.last_checkpoint());
  learner.use(checkpoint.meta, checkpoint.method);
  const int64_t done = best ? load_checkpoint(directory.last_checkpoint()).iteration : checkpoint.iteration;

  std::cout << learner.dataset().spec().name << ", " << config.algorithm() << " after "
            << checkpoint.iteration << " meta-iterations"
            << (best ? concat(" of ", done, ", the best on validation tasks") : "") << '\n'
            << evaluation_text(learner, config) << ", inner step size "
            << step_size_text(learner.config(), learner.method().step_size()) << std::endl;
  SupervisedResult result = evaluate_supervised(learner, config);
  result.meta_iterations = done;
  result.selected_iteration = checkpoint.iteration;
  result.milliseconds = recorded_milliseconds(directory.progress());
  print_result(std::cout, learner, config, result);

  const auto wrote = [](const std::filesystem::path& file) {
    std::cout << "wrote " << file.string() << std::endl;
  };
  write_file_atomically(root / (name + ".json"), supervised_json(learner, config, result));
  wrote(root / (name + ".json"));
  plot_steps(learner, config, result, root / (name + ".png"));
  wrote(root / (name + ".png"));
  if (!learner.dataset().spec().classification) {
    plot_regression(learner, config, root / (name + "_tasks.png"));
    wrote(root / (name + "_tasks.png"));
  }
  if (draw_progress(config, directory)) wrote(root / "progress.png");
}

}  // namespace innerloop
