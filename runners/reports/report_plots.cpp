#include "runners/reports/report_plots.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/error.h"
#include "runners/reports/report_text.h"

namespace innerloop {
namespace {

std::string file_name(const std::string& kind, const std::string& label) {
  std::string name = kind + "_";
  for (const char c : label) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
    if (plain) name += c;
    if (!plain && name.back() != '_') name += '_';
  }
  return name.substr(0, 120);
}

std::string axis_label(const std::string& metric) {
  return metric == "accuracy" ? "accuracy, %" : metric == "mse" ? "mean squared error" : metric;
}

Curve curve_of_points(const std::string& label, const std::vector<ReportPoint>& points, double x_unit,
                      double y_unit) {
  Curve curve{.label = label, .x = {}, .y = {}};
  const bool ends = std::all_of(points.begin(), points.end(),
                                [](const ReportPoint& point) { return point.y.ci95.has_value(); });
  for (const auto& [x, y] : points) {
    curve.x.push_back(x_unit * x);
    curve.y.push_back(y_unit * y.value);
    if (!ends) continue;
    curve.low.push_back(y_unit * y.ci95->low);
    curve.high.push_back(y_unit * y.ci95->high);
  }
  return curve;
}

// A curve for each algorithm that has points.
std::vector<Curve> curves_of(const ProblemResult& result, std::vector<ReportPoint> GroupResult::*points,
                             double x_unit, double y_unit) {
  std::vector<Curve> out;
  for (size_t g = 0; g < result.groups.size(); ++g) {
    const auto& own = result.groups[g].*points;
    if (!own.empty()) out.push_back(curve_of_points(result.problem.groups[g].label, own, x_unit, y_unit));
  }
  return out;
}

std::string seeds_of(const ProblemResult& result) {
  size_t least = result.problem.groups.front().runs.size(), most = least;
  for (const auto& group : result.problem.groups) {
    least = std::min(least, group.runs.size());
    most = std::max(most, group.runs.size());
  }
  if (most == 1) return "one seed";
  return least == most ? concat(most, " seeds") : concat(least, " to ", most, " seeds");
}

bool all_positive(const std::vector<Curve>& curves) {
  return std::all_of(curves.begin(), curves.end(), [](const Curve& curve) {
    const auto positive = [](double y) { return y > 0; };
    return std::all_of(curve.y.begin(), curve.y.end(), positive) &&
           std::all_of(curve.low.begin(), curve.low.end(), positive);
  });
}

Plot learning_plot(const ProblemResult& result) {
  const auto& problem = result.problem;
  const double unit = metric_unit(problem.metric);
  Plot plot{.title = "Learning: " + problem.label,
            .subtitle =
                concat(problem.groups.front().runs.front().curve.what, "; ", seeds_of(result),
                       seeds_of(result) == "one seed" ? "" : ": interquartile mean, 95 % bootstrap interval"),
            .x_label = "meta-iteration",
            .y_label = axis_label(problem.metric),
            .percent = problem.metric == "accuracy",
            .curves = curves_of(result, &GroupResult::learning, 1, unit)};
  std::erase_if(plot.curves,
                [](const Curve& curve) { return curve.x.size() < 2; });  // one row shows no course
  plot.log_y = problem.metric == "mse" && all_positive(plot.curves);
  return plot;
}

Plot adaptation_plot(const ProblemResult& result) {
  const auto& problem = result.problem;
  const bool one = seeds_of(result) == "one seed";
  return {
      .title = "Adaptation to held-out tasks: " + problem.label,
      .subtitle = concat(seeds_of(result), one ? ": mean and 95 % interval over tasks"
                                               : ": interquartile mean, 95 % bootstrap interval over seeds"),
      .x_label = "gradient steps",
      .y_label = axis_label(problem.metric),
      .whole_x = true,
      .percent = problem.metric == "accuracy",
      .curves = curves_of(result, &GroupResult::adaptation, 1, metric_unit(problem.metric))};
}

Plot profile_plot(const std::string& label, const std::string& metric, std::vector<Curve> curves) {
  return {.title = "Performance profile: " + label,
          .subtitle = "share of runs whose result is better than a level, with 95 % bootstrap intervals",
          .x_label = axis_label(metric),
          .y_label = "share of runs, %",
          .percent = true,
          .curves = std::move(curves)};
}

// Shares of tasks in bins that all algorithms have in common.
Plot tasks_plot(const ProblemResult& result) {
  const auto& problem = result.problem;
  const double unit = metric_unit(problem.metric);
  double low = INFINITY, high = -INFINITY;
  size_t most = 0;
  for (const auto& group : result.groups) {
    for (const double value : group.tasks) low = std::min(low, value), high = std::max(high, value);
    most = std::max(most, group.tasks.size());
  }
  Plot plot{.title = "Held-out tasks: " + problem.label,
            .subtitle = concat("how results are spread over ", most, " tasks, after the last gradient step"),
            .x_label = axis_label(problem.metric),
            .y_label = "share of tasks, %",
            .curves = {}};
  if (most < 2 || !(high > low)) return plot;
  const auto bins =
      static_cast<size_t>(std::clamp(std::lround(std::sqrt(static_cast<double>(most))), 4L, 24L));
  const double width = (high - low) / static_cast<double>(bins);
  for (size_t g = 0; g < result.groups.size(); ++g) {
    const auto& tasks = result.groups[g].tasks;
    if (tasks.empty()) continue;
    Curve curve{.label = problem.groups[g].label,
                .x = {},
                .y = std::vector<double>(bins, 0),
                .style = Curve::Style::kSteps};
    for (size_t b = 0; b < bins; ++b)
      curve.x.push_back(unit * (low + width * (static_cast<double>(b) + 0.5)));
    for (const double value : tasks) {
      const auto bin = std::min(bins - 1, static_cast<size_t>((value - low) / width));
      curve.y[bin] += 100 / static_cast<double>(tasks.size());
    }
    plot.curves.push_back(std::move(curve));
  }
  return plot;
}

}  // namespace

std::vector<ReportPicture> pictures_of(const ProblemResult& result, size_t number) {
  const auto& label = result.problem.label;
  const auto name = [&](const std::string& kind) { return file_name(concat(number, "_", kind), label); };
  std::vector<ReportPicture> all{
      {name("learning"), "How the training went.", learning_plot(result)},
      {name("adaptation"), "Results on held-out tasks before and after gradient steps.",
       adaptation_plot(result)},
      {name("tasks"), "How the held-out tasks differ.", tasks_plot(result)},
      {name("profile"), "How the seeds differ.",
       profile_plot(label, result.problem.metric,
                    curves_of(result, &GroupResult::profile, metric_unit(result.problem.metric), 100))}};
  std::erase_if(all, [](const ReportPicture& picture) { return picture.plot.curves.empty(); });
  return all;
}

std::vector<ReportPicture> pictures_of(const AcrossProblems& across) {
  std::vector<Curve> curves;
  for (size_t g = 0; g < across.labels.size(); ++g) {
    if (!across.profiles[g].empty())
      curves.push_back(curve_of_points(across.labels[g], across.profiles[g], metric_unit("accuracy"), 100));
  }
  if (curves.empty()) return {};
  return {{"profile_all_problems", "How seeds and problems differ.",
           profile_plot("all problems", "accuracy", std::move(curves))}};
}

}  // namespace innerloop
