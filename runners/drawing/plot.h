// Line plots with error bands as PNG or SVG files, drawn by gnuplot.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace innerloop {

struct Curve {
  std::string label;
  std::vector<double> x, y;
  std::vector<double> band = {};            // half-height of an interval around y; empty: none
  std::vector<double> low = {}, high = {};  // the ends of an interval that is not symmetrical, instead of it
  // kDashes: a prediction; kFaint: what the next curve smooths, in its colour; kReference: a level to compare
  // with, grey; kSteps: a histogram, x the middles of bins of equal width.
  enum class Style { kLine, kDashes, kPoints, kFaint, kReference, kSteps };
  Style style = Style::kLine;
};

struct Plot {
  std::string title, subtitle;
  std::string x_label, y_label;  // with unit
  bool whole_x = false;          // x counts: ticks at whole numbers, points marked, bars instead of bands
  std::vector<std::string> x_names = {};  // if not empty, stand at x = 1, 2, ... instead of numbers
  bool log_x = false;                     // all x are above 0, and drawn by their logarithm
  bool log_y = false;         // all y are above 0; drawn by their logarithm if they span a factor of 5
  bool percent = false;       // y is at most 100, and so is its axis
  std::vector<Curve> curves;  // not empty
};

// As SVG if that is the name's extension, else as PNG. Error, and no file, if gnuplot is missing or fails, or
// the plot has nothing finite to show.
void write_plot(const Plot& plot, const std::filesystem::path& file);

// Several of them side by side in one PNG.
void write_plots(const std::vector<Plot>& plots, const std::filesystem::path& png);

}  // namespace innerloop
