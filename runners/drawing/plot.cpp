#include "runners/drawing/plot.h"

#include <fcntl.h>
#include <gnuplot-iostream.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <tuple>

#include "base/error.h"
#include "base/files.h"
#include "runners/drawing/panel.h"

extern char** environ;

namespace innerloop {
namespace {

// Okabe and Ito's colours: told apart by everybody.
constexpr std::array<const char*, 6> kColours{"#0072B2", "#D55E00", "#009E73",
                                              "#CC79A7", "#E69F00", "#56B4E9"};

constexpr int kWidth = 1000;  // pixels, without names beside the curves

constexpr char kInk[] = "#1F2937", kGrey[] = "#6B7280";

// A gnuplot string: nothing inside single quotes is special but the quote itself.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

void check(const Plot& plot) {
  require(!plot.curves.empty(), "plot '", plot.title, "' has no curves");
  for (const auto& curve : plot.curves) {
    require(!curve.x.empty() && curve.x.size() == curve.y.size() &&
                (curve.band.empty() || curve.band.size() == curve.x.size()),
            "curve '", curve.label, "' of plot '", plot.title, "' has ", curve.x.size(), " x, ",
            curve.y.size(), " y and ", curve.band.size(), " bands, expected as many of each");
    require(curve.low.size() == curve.high.size() &&
                (curve.low.empty() || curve.low.size() == curve.x.size()) &&
                (curve.low.empty() || curve.band.empty()),
            "curve '", curve.label, "' of plot '", plot.title, "' has ", curve.low.size(), " lower and ",
            curve.high.size(), " upper ends, expected one of each for every x, and no band beside them");
    for (const auto* values : {&curve.x, &curve.y, &curve.band, &curve.low, &curve.high}) {
      for (const double value : *values) {
        require(std::isfinite(value), "curve '", curve.label, "' of plot '", plot.title, "' has the value ",
                value, ", expected finite numbers");
      }
    }
    for (const double value : curve.x) {
      require(!plot.log_x || value > 0, "curve '", curve.label, "' of plot '", plot.title, "' has the place ",
              value, ", expected numbers above 0 on a logarithmic axis");
    }
    for (const double value : curve.y) {
      require(!plot.log_y || value > 0, "curve '", curve.label, "' of plot '", plot.title, "' has the value ",
              value, ", expected numbers above 0 on a logarithmic axis");
    }
  }
}

// Where the curves' names stand: none, in up to three rows above the curves, or one below the other beside
// them, where the picture is as much wider.
struct Names {
  enum class Place { kUnnamed, kAboveCurves, kBesideCurves } place = Place::kUnnamed;
  int width = kWidth;  // of the picture, pixels
  int font = 14;
};

Names names_of(const Plot& plot) {
  constexpr int kLetter = 9, kWideLetter = 10, kSample = 50, kRoom = 865, kRowsAbove = 3, kRowsBeside = 24;
  int count = 0, longest = 0;
  for (const auto& curve : plot.curves) {
    if (curve.label.empty()) continue;
    ++count;
    longest = std::max(longest, static_cast<int>(curve.label.size()));
  }
  if (count < 2) return {};
  const int one = longest * kLetter + kSample, columns = kRoom / one;
  if (columns > 0 && (count + columns - 1) / columns <= kRowsAbove) return {Names::Place::kAboveCurves};
  return {Names::Place::kBesideCurves, kWidth + longest * kWideLetter + kSample,
          count <= kRowsBeside ? 14 : 10};
}

std::string terminal(const std::filesystem::path& file, int width) {
  const bool svg = file.extension() == ".svg";
  return concat("set terminal ", svg ? "svg" : "pngcairo", " noenhanced size ", width,
                ",640 font 'DejaVu Sans,14' background '#FFFFFF'\n");
}

std::string key_of(const Names& names) {
  const double share = static_cast<double>(kWidth) / names.width;
  switch (names.place) {
    case Names::Place::kUnnamed:
      return "off";
    case Names::Place::kAboveCurves:
      return "at screen 0.965, 0.84 right center horizontal samplen 2 width 0";
    case Names::Place::kBesideCurves:
      return concat("at screen ", 0.98 * share, ", 0.84 left top vertical Left reverse samplen 2 font ',",
                    names.font, "'");
  }
  return "off";
}

void write_script(const Plot& plot, const PendingFile& script, const PendingFile& picture) {
  const Names names = names_of(plot);
  const double share = static_cast<double>(kWidth) / names.width;
  Gnuplot gnuplot(">" + script.path().string());
  gnuplot << terminal(picture.target(), names.width) << "set output " << quoted(picture.path().string())
          << "\n"
          << "set encoding utf8\nset minussign\n"
          << "set label 1 " << quoted(plot.title) << " at screen " << 0.022 * share
          << ", 0.953 font 'DejaVu Sans:Bold,17' textcolor '#1F2937'\n"
          << "set label 2 " << quoted(plot.subtitle) << " at screen " << 0.022 * share
          << ", 0.905 font ',12' textcolor '#6B7280'\n"
          << "set tmargin at screen " << (names.place == Names::Place::kAboveCurves ? 0.775 : 0.83)
          << "\nset lmargin at screen " << 0.1 * share << "\nset rmargin at screen " << 0.965 * share << "\n"
          << "set xlabel "
          << quoted(plot.x_label)
          // Not gnuplot's ylabel, which wide numbers beside it push out of the picture.
          << "\nset label 3 " << quoted(plot.y_label) << " at screen " << 0.022 * share
          << ", graph 0.5 center rotate by 90\n"
          << "set border 3 linecolor '#6B7280' linewidth 1.2\n"
          << "set tics nomirror out scale 0.6 textcolor '#374151'\n"
          // gnuplot's own format begins with a blank, which pushes numbers off the middle of their ticks.
          << "set format '%h'\n"
          << "set grid xtics ytics linetype 1 linewidth 1 linecolor '#E5E7EB'\n"
          // Above the curves, none of which it then hides.
          << "set key " << key_of(names) << "\n"
          << "set offsets 0, 0, graph 0.04, graph 0.04\n"
          << "set style fill transparent solid 0.18 noborder\n";
  double low = plot.curves.front().x.front(), high = low;
  for (const auto& curve : plot.curves) {
    for (const double x : curve.x) low = std::min(low, x), high = std::max(high, x);
  }
  if (plot.log_x) gnuplot << "set logscale x\n";
  const double beside = !plot.log_x && (plot.whole_x || high == low) ? 0.3 : 0;
  gnuplot << "set xrange [" << low - beside << ":" << high + beside << "]\n";
  double bottom = plot.curves.front().y.front(), top = bottom;
  for (const auto& curve : plot.curves) {
    for (const double y : curve.y) bottom = std::min(bottom, y), top = std::max(top, y);
  }
  const bool histogram = std::any_of(plot.curves.begin(), plot.curves.end(),
                                     [](const Curve& curve) { return curve.style == Curve::Style::kSteps; });
  if (histogram) gnuplot << "set offsets 0, 0, graph 0.04, 0\n";
  // Left to itself an axis of percent may begin below 0, where an interval reaches there, and end at 110.
  gnuplot << "set yrange ["
          << (histogram      ? "0"
              : plot.percent ? "0<*"
                             : "*")
          << ":" << (plot.percent && top > 90 ? "101" : "*") << "]\n";
  if (plot.log_y && top >= 5 * bottom) {  // of 1, 2, 5, 10, ... at least two are in between
    // Left to itself gnuplot ends a logarithmic axis at powers of ten.
    gnuplot << "set logscale y\nset offsets 0, 0, 0, 0\n"
            << "set yrange [" << 0.8 * bottom << ":" << 1.25 * top << "]\nset ytics (";
    for (int decade = -9; decade <= 9; ++decade) {
      for (const int digit : {1, 2, 5})
        gnuplot << (decade > -9 || digit > 1 ? ", " : "") << digit << "e" << decade;
    }
    gnuplot << ")\n";
  }
  if (!plot.x_names.empty()) {
    std::vector<std::string> ticks;
    for (const auto& name : plot.x_names) ticks.push_back(concat(quoted(name), " ", ticks.size() + 1));
    gnuplot << "set xtics (" << join(ticks) << ")\n";
  } else if (plot.whole_x && high - low <= 20) {
    gnuplot << "set xtics 1\n";
  }
  std::vector<std::string> parts;
  size_t colours = 0;
  for (size_t i = 0; i < plot.curves.size(); ++i) {
    const auto& curve = plot.curves[i];
    const std::string data = concat("$curve", i);
    std::vector<std::tuple<double, double, double, double>> rows;
    for (size_t k = 0; k < curve.x.size(); ++k) {
      const double band = curve.band.empty() ? 0 : curve.band[k];
      const bool ends = !curve.low.empty();
      rows.emplace_back(curve.x[k], curve.y[k], ends ? curve.low[k] : curve.y[k] - band,
                        ends ? curve.high[k] : curve.y[k] + band);
    }
    gnuplot << data << " << e\n";
    gnuplot.send1d(rows);  // ends with a line "e"
    std::string colour = kColours[colours % kColours.size()];
    std::string style = plot.whole_x ? "with linespoints pointtype 7 pointsize 1.3" : "with lines";
    // A colour that comes again is dashed.
    if (colours >= kColours.size()) style += concat(" dashtype ", colours / kColours.size() + 1);
    switch (curve.style) {
      case Curve::Style::kLine:
        ++colours;
        break;
      case Curve::Style::kDashes:
        ++colours;
        style = "with lines dashtype 2";
        break;
      case Curve::Style::kSteps:
        ++colours;
        style = "with histeps";
        break;
      case Curve::Style::kPoints:
        colour = kInk;
        style = "with points pointtype 9 pointsize 2";
        break;
      case Curve::Style::kFaint:
        colour.insert(1, "A8");  // how transparent
        style = "with lines";
        break;
      case Curve::Style::kReference:
        colour = kGrey;
        style = "with lines dashtype 3";
        break;
    }
    if (!curve.band.empty() || !curve.low.empty()) {
      const char* interval = plot.whole_x
                                 ? " using 1:2:3:4 with yerrorbars pointtype 0 linewidth 1.6 linecolor rgb "
                                 : " using 1:3:4 with filledcurves linecolor rgb ";
      parts.push_back(concat(data, interval, quoted(colour), " notitle"));
    }
    const char* width = curve.style == Curve::Style::kFaint ? "1.4" : "2.6";
    parts.push_back(concat(data, " using 1:2 ", style, " linewidth ", width, " linecolor rgb ",
                           quoted(colour),
                           curve.label.empty() ? " notitle" : " title " + quoted(curve.label)));
  }
  gnuplot << "plot " << join(parts, ", \\\n     ") << "\n";
  gnuplot.flush();
  require(gnuplot.good(), "cannot write ", script.target(), "; is the disk full?");
}

// gnuplot names one family of fonts, and a weight as part of it: where that is not installed, a browser would
// take its serif.
void name_fonts_for_browsers(const std::filesystem::path& svg) {
  std::ostringstream content;
  content << std::ifstream(svg).rdbuf();
  std::string text = content.str();
  const auto replace_all = [&text](const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  };
  const std::string families = "\"DejaVu Sans, Verdana, sans-serif\"";
  replace_all("\"DejaVu Sans:Bold\"", families + " font-weight=\"bold\"");
  replace_all("\"DejaVu Sans\"", families);
  std::ofstream(svg) << text;
}

// Runs gnuplot on the script, its messages going to `log`; returns its exit code, or -1.
int run_gnuplot(const std::filesystem::path& script, const std::filesystem::path& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::string program = "gnuplot", argument = script.string();
  std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};
  pid_t child = 0;
  const int failed = posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  require(failed == 0, "cannot draw plots: gnuplot does not start (", std::strerror(failed),
          "); install it (Debian: gnuplot-nox)");
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Draws into the pending file, which is not committed.
void draw(const Plot& plot, const std::filesystem::path& file, const PendingFile& picture) {
  check(plot);
  // Neither is committed: both are gone when this function returns.
  const PendingFile script(std::filesystem::path(file).replace_extension(".gnuplot"));
  const PendingFile log(std::filesystem::path(file).replace_extension(".gnuplot_log"));
  write_script(plot, script, picture);
  const int code = run_gnuplot(script.path(), log.path());
  std::ostringstream messages;
  messages << std::ifstream(log.path()).rdbuf();
  require(code == 0 && std::filesystem::file_size(picture.path()) > 0, "cannot draw ", file,
          ": gnuplot ended with code ", code, ": ", messages.str());
}

}  // namespace

void write_plot(const Plot& plot, const std::filesystem::path& file) {
  PendingFile picture(file);
  draw(plot, file, picture);
  if (file.extension() == ".svg") name_fonts_for_browsers(picture.path());
  picture.commit();
}

void write_plots(const std::vector<Plot>& plots, const std::filesystem::path& png) {
  std::vector<cv::Mat> pictures;
  for (const auto& plot : plots) {
    const PendingFile picture(png);  // read back and left to go
    draw(plot, png, picture);
    pictures.push_back(cv::imread(picture.path().string()));
    require(!pictures.back().empty(), "cannot draw ", png, ": gnuplot wrote no picture");
  }
  PendingFile together(png);
  require(cv::imwrite(together.path().string(), in_rows(pictures, pictures.size())), "cannot write ", png);
  together.commit();
}

}  // namespace innerloop
