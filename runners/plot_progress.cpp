#include "runners/plot_progress.h"

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "runners/plot.h"

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

}  // namespace

bool plot_progress(const std::filesystem::path& csv, const std::filesystem::path& png) {
  const auto lines = whole_lines(csv);
  if (lines.size() < 2) return false;
  const auto header = cells(lines.front());
  const auto column = [&](const std::string& name) {
    for (size_t i = 0; i < header.size(); ++i) {
      if (header[i] == name) return static_cast<int>(i);
    }
    return -1;
  };
  const int iteration = column("iteration");
  std::vector<int> returns;
  while (column(concat("step_", returns.size(), "_return_mean")) >= 0) {
    returns.push_back(column(concat("step_", returns.size(), "_return_mean")));
  }
  require(iteration >= 0 && !returns.empty(), "cannot plot ", csv, ": columns are ", lines.front(),
          ", expected iteration and step_0_return_mean among them");

  Plot plot{
      .title = "Meta-training",
      .subtitle = "mean undiscounted return of the trajectories sampled at each inner step, training tasks",
      .x_label = "meta-iteration",
      .y_label = "return",
      .curves = {}};
  for (size_t k = 0; k < returns.size(); ++k) {
    Curve curve{
        .label = k == 0 ? "before adaptation" : concat("after ", k, " gradient step", k == 1 ? "" : "s"),
        .x = {},
        .y = {}};
    for (size_t i = 1; i < lines.size(); ++i) {
      const auto row = cells(lines[i]);
      require(row.size() == header.size(), "cannot plot ", csv, ": line ", i + 1, " has ", row.size(),
              " cells, expected ", header.size());
      const auto number = [&](int at) {
        try {
          return std::stod(row[static_cast<size_t>(at)]);
        } catch (const std::exception&) {
          throw Error(concat("cannot plot ", csv, ": line ", i + 1, " has '", row[static_cast<size_t>(at)],
                             "', expected a number"));
        }
      };
      curve.x.push_back(number(iteration));
      curve.y.push_back(number(returns[k]));
    }
    plot.curves.push_back(std::move(curve));
  }
  write_plot(plot, png);
  return true;
}

}  // namespace innerloop
