#include "runners/experiment/supervised_plots.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "runners/drawing/panel.h"
#include "runners/drawing/plot.h"

namespace innerloop {
namespace {

constexpr int64_t kTasksDrawn = 3, kPointsDrawn = 300;

double scale(bool classification) { return classification ? 100 : 1; }

std::vector<double> column(const torch::Tensor& tensor, int64_t index = 0) {
  const auto values = tensor.select(-1, index).flatten().to(torch::kFloat64).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

// One evaluation task: its query points are the curve of the truth, in the order of x.
Plot regression_plot(const SupervisedMetaLearner& learner, const ExperimentConfig& config, int64_t task) {
  const torch::NoGradGuard no_graph;
  SupervisedEvaluationConfig evaluation = config.supervised_evaluation;
  evaluation.queries = kPointsDrawn;
  Episodes episode = learner.evaluation_episode(evaluation, task);
  const auto order = episode.query_x.select(2, 0).flatten().argsort();
  episode.query_x = episode.query_x.index_select(1, order).contiguous();
  episode.query_y = episode.query_y.index_select(1, order).contiguous();
  const auto outputs = learner.predict(episode, evaluation, task);
  const std::vector<double> x = column(episode.query_x);
  Plot plot{.title = concat("Task ", task + 1),
            .subtitle = concat(config.algorithm(), ", ", learner.evaluation_shape(evaluation).shots,
                               " support points, inner step size ",
                               step_size_text(learner.config(), learner.method().step_size())),
            .x_label = "x",
            .y_label = "y",
            .curves = {{.label = "truth", .x = x, .y = column(episode.query_y)}}};
  std::set<int64_t> shown{0};
  for (const int64_t step : {int64_t{1}, evaluation.steps}) {
    if (step <= evaluation.steps) shown.insert(step);
  }
  for (int64_t k = 0; k < static_cast<int64_t>(outputs.size()); ++k) {
    if (shown.count(k) == 0) continue;
    plot.curves.push_back(
        {.label = k == 0 ? "before adaptation" : concat("after ", k, " step", k == 1 ? "" : "s"),
         .x = x,
         .y = column(outputs[static_cast<size_t>(k)]),
         .style = k == evaluation.steps ? Curve::Style::kLine : Curve::Style::kDashes});
  }
  plot.curves.push_back({.label = "support points",
                         .x = column(episode.support_x),
                         .y = column(episode.support_y),
                         .style = Curve::Style::kPoints});
  return plot;
}

}  // namespace

void plot_steps(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                const SupervisedResult& result, const std::filesystem::path& png) {
  const auto& spec = learner.dataset().spec();
  const double unit = scale(spec.classification);
  Curve ours{.label = config.algorithm(), .x = {}, .y = {}};
  for (const auto& step : result.steps) {
    ours.x.push_back(static_cast<double>(step.step));
    ours.y.push_back(unit * step.mean);
    if (step.ci95) ours.band.push_back(unit * *step.ci95);
  }
  const std::string band = ours.band.empty() ? "" : "; bars: 95 % CI";
  Plot plot{.title = concat("Adaptation to new tasks: ", spec.name, ", ", config.algorithm()),
            .subtitle = evaluation_text(learner, config) + band,
            .x_label = "gradient steps",
            .y_label = spec.classification ? "accuracy, %" : "mean squared error",
            .whole_x = true,
            .percent = spec.classification,
            .curves = {ours}};
  const double last = static_cast<double>(result.steps.back().step);
  const auto level = [&](const std::string& label, double value) {
    plot.curves.push_back({.label = label,
                           .x = {0, std::max(last, 1.0)},
                           .y = {unit * value, unit * value},
                           .style = Curve::Style::kReference});
  };
  if (spec.classification) {
    const int64_t ways = learner.evaluation_shape(config.supervised_evaluation).ways;
    level("chance", 1 / static_cast<double>(ways));
  }
  if (result.nearest_on_pixels) {
    const double value = unit * result.nearest_on_pixels->mean;
    plot.curves.push_back({.label = "nearest neighbour on pixels",
                           .x = {0, std::max(last, 1.0)},
                           .y = {value, value},
                           .style = Curve::Style::kDashes});
  }
  if (result.published.size() == 1) level("", result.published.front().value);
  Curve published{.label = "published", .x = {}, .y = {}, .style = Curve::Style::kPoints};
  for (const auto& row : result.published) {
    published.x.push_back(row.step == kNotStated ? last : static_cast<double>(row.step));
    published.y.push_back(unit * row.value);
    published.label = row.source;
  }
  if (!published.x.empty()) plot.curves.push_back(published);
  write_plot(plot, png);
}

void plot_regression(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                     const std::filesystem::path& png) {
  std::vector<Plot> plots;
  for (int64_t task = 0; task < std::min(kTasksDrawn, config.supervised_evaluation.tasks); ++task)
    plots.push_back(regression_plot(learner, config, task));
  write_plots(plots, png);
}

}  // namespace innerloop
