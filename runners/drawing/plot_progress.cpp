#include "runners/drawing/plot_progress.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "runners/drawing/plot.h"

namespace innerloop {
namespace {

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) out.push_back(cell);
  return out;
}

// Lines that end; the last one may still be in the making.
std::vector<std::string> whole_lines(const std::filesystem::path& file) {
  std::ostringstream content;
  std::ifstream in(file);
  if (in.peek() != std::ifstream::traits_type::eof()) content << in.rdbuf();
  const std::string text = content.str();
  std::vector<std::string> lines;
  for (size_t from = 0, to; (to = text.find('\n', from)) != std::string::npos; from = to + 1) {
    lines.push_back(text.substr(from, to - from));
  }
  return lines;
}

// The numbers of a CSV file, by column.
class Table {
 public:
  explicit Table(const std::filesystem::path& file) : file_(file), lines_(whole_lines(file)) {
    if (!lines_.empty()) header_ = cells(lines_.front());
  }
  bool empty() const { return lines_.size() < 2; }
  bool has(const std::string& name) const {
    return std::find(header_.begin(), header_.end(), name) != header_.end();
  }
  std::string header() const { return lines_.front(); }

  std::vector<double> column(const std::string& name) const {
    const auto at = static_cast<size_t>(std::find(header_.begin(), header_.end(), name) - header_.begin());
    std::vector<double> values;
    for (size_t i = 1; i < lines_.size(); ++i) {
      const auto row = cells(lines_[i]);
      require(row.size() == header_.size(), "cannot plot ", file_, ": line ", i + 1, " has ", row.size(),
              " cells, expected ", header_.size());
      try {
        values.push_back(std::stod(row[at]));
      } catch (const std::exception&) {
        throw Error(
            concat("cannot plot ", file_, ": line ", i + 1, " has '", row[at], "', expected a number"));
      }
    }
    return values;
  }

 private:
  std::filesystem::path file_;
  std::vector<std::string> lines_, header_;
};

// The mean of the values around each, up to `reach` on either side (fewer at the ends, and alike on both
// sides, so that a trend is not bent).
std::vector<double> smoothed(const std::vector<double>& values, size_t reach) {
  std::vector<double> out;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t r = std::min({reach, i, values.size() - 1 - i});
    double sum = 0;
    for (size_t k = i - r; k <= i + r; ++k) sum += values[k];
    out.push_back(sum / static_cast<double>(2 * r + 1));
  }
  return out;
}

// The curve, smoothed over its own faint values if it has many.
void add_smoothed(Plot& plot, Curve curve) {
  constexpr size_t kFew = 20;
  if (curve.y.size() > kFew) {
    plot.curves.push_back({.label = "", .x = curve.x, .y = curve.y, .style = Curve::Style::kFaint});
    curve.y = smoothed(curve.y, curve.y.size() / 40 + 1);
  }
  plot.curves.push_back(std::move(curve));
}

Plot returns_plot(const Table& table, const std::string& what) {
  Plot plot{
      .title = "Meta-training: " + what,
      .subtitle = "mean undiscounted return of the trajectories sampled at each inner step, training tasks",
      .x_label = "meta-iteration",
      .y_label = "return",
      .curves = {}};
  for (int k = 0; table.has(concat("step_", k, "_return_mean")); ++k) {
    add_smoothed(plot, {.label = k == 0 ? "before adaptation"
                                        : concat("after ", k, " gradient step", k == 1 ? "" : "s"),
                        .x = table.column("iteration"),
                        .y = table.column(concat("step_", k, "_return_mean"))});
  }
  return plot;
}

std::vector<double> times(double factor, std::vector<double> values) {
  for (double& value : values) value *= factor;
  return values;
}

Plot metric_plot(const Table& table, const std::filesystem::path& validations, const std::string& what) {
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
  const Table validation(validations);
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
                   const std::string& what) {
  const Table table(csv);
  if (table.empty()) return false;
  const bool policy = table.has("step_0_return_mean");
  require(table.has("iteration") && (policy || table.has("query_accuracy") || table.has("query_mse")),
          "cannot plot ", csv, ": columns are ", table.header(),
          ", expected iteration and step_0_return_mean, query_accuracy or query_mse among them");
  write_plot(
      policy ? returns_plot(table, what) : metric_plot(table, csv.parent_path() / "validation.csv", what),
      png);
  return true;
}

}  // namespace innerloop
