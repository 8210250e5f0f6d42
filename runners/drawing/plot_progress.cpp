#include "runners/drawing/plot_progress.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "runners/drawing/number_table.h"
#include "runners/drawing/plot.h"
#include "runners/drawing/smoothing.h"

namespace innerloop {
namespace {

// The curve, smoothed over its own faint values if it has many.
void add_smoothed(Plot& plot, Curve curve) {
  constexpr size_t kFew = 20;
  if (curve.y.size() > kFew) {
    plot.curves.push_back({.label = "", .x = curve.x, .y = curve.y, .style = Curve::Style::kFaint});
    curve.y = smoothed_values(curve.y, curve.y.size() / 40 + 1);
  }
  plot.curves.push_back(std::move(curve));
}

Plot returns_plot(const NumberTable& table, const std::string& what, const std::string& step) {
  Plot plot{.title = "Meta-training: " + what,
            .subtitle = concat("mean undiscounted return of the trajectories sampled at each ",
                               step == "gradient step" ? "inner step" : step, ", training tasks"),
            .x_label = "meta-iteration",
            .y_label = "return",
            .curves = {}};
  for (int k = 0; table.has(concat("step_", k, "_return_mean")); ++k) {
    add_smoothed(plot,
                 {.label = k == 0 ? "before adaptation" : concat("after ", k, " ", step, k == 1 ? "" : "s"),
                  .x = table.column("iteration"),
                  .y = table.column(concat("step_", k, "_return_mean"))});
  }
  return plot;
}

std::vector<double> times(double factor, std::vector<double> values) {
  for (double& value : values) value *= factor;
  return values;
}

Plot metric_plot(const NumberTable& table, const std::filesystem::path& validations,
                 const std::string& what) {
  const bool accuracy = table.has("query_accuracy");
  const double unit = accuracy ? 100 : 1;
  const std::string metric = accuracy ? "accuracy" : "mse";
  Plot plot{
      .title = "Meta-training: " + what,
      .subtitle =
          "query sets after the inner steps; a point is the mean over the iterations since the point before",
      .x_label = "meta-iteration",
      .y_label = accuracy ? "accuracy, %" : "mean squared error",
      .log_y = !accuracy,
      .percent = accuracy,
      .curves = {}};
  add_smoothed(plot, {.label = "training tasks",
                      .x = table.column("iteration"),
                      .y = times(unit, table.column("query_" + metric))});
  const NumberTable validation(validations);
  if (!validation.empty()) {
    plot.curves.push_back({.label = "validation tasks",
                           .x = validation.column("iteration"),
                           .y = times(unit, validation.column(metric + "_mean")),
                           .band = times(unit, validation.column("ci95"))});
  }
  return plot;
}

}  // namespace

bool plot_progress(const std::filesystem::path& csv, const std::filesystem::path& png,
                   const std::string& what, const std::string& step) {
  const NumberTable table(csv);
  if (table.empty()) return false;
  const bool policy = table.has("step_0_return_mean");
  require(table.has("iteration") && (policy || table.has("query_accuracy") || table.has("query_mse")),
          "cannot plot ", csv, ": columns are ", join(table.header(), ","),
          ", expected iteration and step_0_return_mean, query_accuracy or query_mse among them");
  write_plot(policy ? returns_plot(table, what, step)
                    : metric_plot(table, csv.parent_path() / "validation.csv", what),
             png);
  return true;
}

}  // namespace innerloop
