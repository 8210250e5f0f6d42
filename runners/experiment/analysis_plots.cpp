#include "runners/experiment/analysis_plots.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "runners/drawing/plot.h"

namespace innerloop {
namespace {

double shown_unit(const Analysis& analysis) { return analysis.classification ? 100 : 1; }

std::string metric_label(const Analysis& analysis) {
  return analysis.classification ? "accuracy, %" : "mean squared error";
}

void add_point(Curve& curve, double x, const std::optional<MeanStatistics>& found, double unit) {
  if (!found) return;
  curve.x.push_back(x);
  curve.y.push_back(unit * found->mean);
  curve.band.push_back(unit * found->ci95.value_or(0));
}

void plot_representation(const std::string& what, const std::string& protocol, const Analysis& analysis,
                         const std::filesystem::path& png) {
  const auto& study = *analysis.representation;
  Plot alike{.title = "Before and after adaptation: " + what,
             .subtitle = "representation of query samples, 1: the same; " + protocol,
             .x_label = "layer",
             .y_label = "similarity",
             .whole_x = true,
             .curves = {}};
  Curve cka{.label = "linear CKA", .x = {}, .y = {}}, cca{.label = "mean CCA", .x = {}, .y = {}};
  for (const auto& layer : study.layers) {
    alike.x_names.push_back(layer.name + (layer.head ? " (head)" : ""));
    const auto x = static_cast<double>(alike.x_names.size());
    add_point(cka, x, defined_statistics(layer.cka), 1);
    add_point(cca, x, defined_statistics(layer.cca), 1);
  }
  for (auto* curve : {&cka, &cca}) {
    if (!curve->x.empty()) alike.curves.push_back(*curve);
  }
  const double unit = shown_unit(analysis), rows = static_cast<double>(study.held.size());
  Plot frozen{.title = "Layers held at the initialisation: " + what,
              .subtitle = "the other layers and the head adapt; bars: 95 % CI",
              .x_label = "layers held",
              .y_label = metric_label(analysis),
              .whole_x = true,
              .percent = analysis.classification,
              .curves = {}};
  Curve held{.label = "after adaptation", .x = {}, .y = {}};
  for (size_t l = 0; l < study.held.size(); ++l) {
    frozen.x_names.push_back(held_text(l));
    add_point(held, static_cast<double>(l) + 1, defined_statistics(study.held[l]), unit);
  }
  frozen.curves.push_back(held);
  const double before = unit * defined_statistics(study.before)->mean;
  frozen.curves.push_back({.label = "before adaptation",
                           .x = {1, std::max(rows, 2.0)},
                           .y = {before, before},
                           .style = Curve::Style::kReference});
  if (alike.curves.empty()) return write_plot(frozen, png);
  write_plots({alike, frozen}, png);
}

// Shares of the values in %, by bins of `width` from `low` on; empty bins close both ends.
Curve histogram(const std::string& label, const std::vector<double>& values, double low, double high,
                double width) {
  Curve curve{.label = label, .x = {}, .y = {}, .style = Curve::Style::kSteps};
  const auto bins = static_cast<int64_t>(std::lround((high - low) / width));
  std::vector<double> share(static_cast<size_t>(bins) + 2, 0);
  for (const double value : values) {
    const auto bin = static_cast<int64_t>(std::floor((value - low) / width + 1e-9));
    share[static_cast<size_t>(std::clamp<int64_t>(bin, 0, bins - 1)) + 1] +=
        100 / static_cast<double>(values.size());
  }
  for (size_t i = 0; i < share.size(); ++i) {
    curve.x.push_back(low + width * (static_cast<double>(i) - 0.5));
    curve.y.push_back(share[i]);
  }
  return curve;
}

void plot_permutations(const std::string& what, const std::string& protocol, int64_t queries,
                       const Analysis& analysis, const std::filesystem::path& png) {
  const OrderSpread spread = spread_of(analysis.permutations);
  const auto percent = [](std::vector<double> values) {
    for (double& value : values) value *= 100;
    return values;
  };
  const auto worst = percent(spread.worst), mean = percent(spread.mean), best = percent(spread.best);
  constexpr double kBins = 20;
  const double least = *std::min_element(worst.begin(), worst.end()),
               most = *std::max_element(best.begin(), best.end());
  const double width = std::max({1.0, std::ceil((most - least) / kBins), 100 / static_cast<double>(queries)});
  const double low = width * std::floor(least / width),
               high = low + width * (std::floor((most - low) / width) + 1);
  const auto orders = analysis.permutations.front().size();
  Plot shares{
      .title = "Orders of a task's classes: " + what,
      .subtitle = concat(orders, " orders a task; ", protocol),
      .x_label = "accuracy of a task, %",
      .y_label = "tasks, %",
      .curves = {histogram("worst", worst, low, high, width), histogram("mean", mean, low, high, width),
                 histogram("best (oracle)", best, low, high, width)}};
  Plot ranks{.title = "From a task's worst order to its best: " + what,
             .subtitle = "mean over tasks of the accuracy at each place; band: 95 % CI",
             .x_label = "place of the order within its task",
             .y_label = "accuracy, %",
             .percent = true,
             .curves = {}};
  TaskMetrics sorted = analysis.permutations;
  for (auto& task : sorted) std::sort(task.begin(), task.end());
  Curve ranked{.label = "by place", .x = {}, .y = {}};
  for (size_t place = 0; place < orders; ++place)
    add_point(ranked, static_cast<double>(place) + 1, defined_statistics(task_values(sorted, place)), 100);
  const double level = 100 * mean_statistics(spread.as_drawn).mean;
  ranks.curves = {ranked,
                  {.label = "order as drawn",
                   .x = {1, std::max(static_cast<double>(orders), 2.0)},
                   .y = {level, level},
                   .style = Curve::Style::kReference}};
  write_plots({shares, ranks}, png);
}

void plot_step_sizes(const std::string& what, const std::string& protocol, const Analysis& analysis,
                     const std::filesystem::path& png) {
  Plot plot{.title = "Steps and step sizes: " + what,
            .subtitle = concat(protocol, "; trained with ", analysis.trained_steps,
                               analysis.trained_steps == 1 ? " step" : " steps", "; bars: 95 % CI"),
            .x_label = "gradient steps",
            .y_label = metric_label(analysis),
            .whole_x = true,
            .log_y = !analysis.classification,
            .percent = analysis.classification,
            .curves = {}};
  for (size_t i = 0; i < analysis.steps.size(); ++i) {
    Curve curve{.label = multiple_text(analysis.settings.multiples[i], analysis.step_size), .x = {}, .y = {}};
    for (size_t k = 0; k < analysis.steps[i].front().size(); ++k) {
      const auto values = task_values(analysis.steps[i], k);
      if (undefined(values) > 0) break;
      add_point(curve, static_cast<double>(k), mean_statistics(values), shown_unit(analysis));
    }
    plot.curves.push_back(curve);
  }
  write_plot(plot, png);
}

void plot_probe(const std::string& what, const Analysis& analysis, const std::filesystem::path& png) {
  const auto& probe = *analysis.probe;
  const auto curve = [](const char* label, const std::vector<double>& accuracies) {
    Curve out{.label = label, .x = {}, .y = {}, .style = Curve::Style::kPoints};
    for (const double accuracy : accuracies) {
      out.x.push_back(static_cast<double>(out.x.size()) + 1);
      out.y.push_back(100 * accuracy);
    }
    return out;
  };
  const double mean = 100 * mean_statistics(probe.accuracy).mean;
  const double last = std::max(2.0, static_cast<double>(probe.accuracy.size()));
  write_plot({.title = "Linear probe: " + what,
              .subtitle = concat(probe_text(probe), "; ", probe.features, " features"),
              .x_label = "split",
              .y_label = "accuracy, %",
              .whole_x = true,
              .percent = true,
              .curves = {curve("tested on", probe.accuracy),
                         curve("trained on", probe.train_accuracy),
                         {.label = "mean of those tested on",
                          .x = {1, last},
                          .y = {mean, mean},
                          .style = Curve::Style::kReference}}},
             png);
}

}  // namespace

void plot_analysis(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                   const Analysis& analysis, const std::filesystem::path& png) {
  const std::string what = learner.dataset().spec().name + ", " + config.algorithm();
  const std::string protocol = evaluation_text(learner, config);
  const EpisodeShape shape = learner.evaluation_shape(config.supervised_evaluation);
  if (analysis.settings.study == Study::kRepresentation) {
    plot_representation(what, protocol, analysis, png);
  } else if (analysis.settings.study == Study::kPermutations) {
    plot_permutations(what, protocol, shape.ways * shape.queries, analysis, png);
  } else if (analysis.settings.study == Study::kLinearProbe) {
    plot_probe(what, analysis, png);
  } else {
    plot_step_sizes(what, protocol, analysis, png);
  }
}

}  // namespace innerloop
