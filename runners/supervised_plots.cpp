#include "runners/supervised_plots.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "runners/panel.h"
#include "runners/plot.h"

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
  EpisodeShape shape = learner.config().shape;
  if (evaluation.shots > 0) shape.shots = evaluation.shots;
  shape.queries = kPointsDrawn;
  Episodes episode = learner.evaluation_episode(evaluation, task);
  const auto order = episode.query_x.select(2, 0).flatten().argsort();
  episode.query_x = episode.query_x.index_select(1, order).contiguous();
  episode.query_y = episode.query_y.index_select(1, order).contiguous();
  const EpisodeTask tasks(learner.network(), episode, shape,
                          parse_loss_reduction(learner.config().loss_reduction),
                          parse_batch_norm_mode(learner.config().network.batch_norm));

  const std::vector<double> x = column(episode.query_x);
  Plot plot{.title = concat("Task ", task + 1),
            .subtitle = concat(config.algorithm, ", ", shape.shots, " support points, inner step size ",
                               learner.config().inner.step_size),
            .x_label = "x",
            .y_label = "y",
            .curves = {{.label = "truth", .x = x, .y = column(episode.query_y)}}};
  std::set<int64_t> shown{0};
  for (const int64_t step : {int64_t{1}, evaluation.steps}) {
    if (step <= evaluation.steps) shown.insert(step);
  }
  const InnerLoop inner(learner.config().inner, learner.initialisation());
  Adaptation adaptation = inner.start(learner.meta_parameters(), 1, task);
  for (int64_t k = 0; k <= evaluation.steps; ++k) {
    if (k > 0) inner.advance(adaptation, tasks);
    if (shown.count(k) == 0) continue;
    plot.curves.push_back(
        {.label = k == 0 ? "before adaptation" : concat("after ", k, " step", k == 1 ? "" : "s"),
         .x = x,
         .y = column(tasks.query_output(adaptation.adapted())),
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
  Curve ours{.label = config.algorithm, .x = {}, .y = {}};
  for (const auto& step : result.steps) {
    ours.x.push_back(static_cast<double>(step.step));
    ours.y.push_back(unit * step.mean);
    if (step.ci95) ours.band.push_back(unit * *step.ci95);
  }
  const std::string band = ours.band.empty() ? "" : "; shaded: 95 % CI";
  Plot plot{.title = concat("Adaptation to new tasks: ", spec.name, ", ", config.algorithm),
            .subtitle = evaluation_text(learner, config) + band,
            .x_label = "gradient steps",
            .y_label = spec.classification ? "accuracy, %" : "mean squared error",
            .whole_x = true,
            .percent = spec.classification,
            .curves = {ours}};
  const double last = static_cast<double>(result.steps.back().step);
  if (result.nearest_on_pixels) {
    const double level = unit * result.nearest_on_pixels->mean;
    plot.curves.push_back({.label = "nearest neighbour on pixels",
                           .x = {0, std::max(last, 1.0)},
                           .y = {level, level},
                           .style = Curve::Style::kDashes});
  }
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
