#include "runners/drawing/draw_series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "runners/drawing/colours.h"
#include "runners/drawing/panel.h"
#include "runners/drawing/text.h"

namespace innerloop {
namespace {

constexpr int64_t kObservations = 8, kActions = 4;  // at most

// Pixels.
constexpr int kNames = 130, kRight = 14, kAxisHeight = 26, kBetween = 8;
constexpr double kNameSize = 13, kRangeSize = 11;

// BGR.
const cv::Scalar kStripGrid(235, 230, 226), kOtherLines(225, 205, 188), kLine(205, 92, 30);

std::string name_of(const std::vector<std::string>& names, const char* kind, int64_t i) {
  return names.empty() ? concat(kind, "_", i) : names[static_cast<size_t>(i)];
}

void find_range(Strip& strip) {
  strip.low = std::numeric_limits<double>::infinity();
  strip.high = -strip.low;
  for (const auto& line : strip.values) {
    for (const double value : line) {
      if (!std::isfinite(value)) continue;
      strip.low = std::min(strip.low, value);
      strip.high = std::max(strip.high, value);
    }
  }
}

// Where a strip is, and where a value of it at a time is.
struct Frame {
  cv::Rect2d box;
  double low, high, steps;

  cv::Point at(double step, double value) const {
    const double share = high > low ? (value - low) / (high - low) : 0.5;
    const double x = box.x + box.width * step / steps;
    const double y = box.y + box.height * (0.94 - 0.88 * std::clamp(share, 0.0, 1.0));
    return {static_cast<int>(std::lround(x * 16)), static_cast<int>(std::lround(y * 16))};
  }
};

void draw_line(cv::Mat& image, const Frame& frame, const std::vector<float>& values, size_t steps,
               const cv::Scalar& colour, int width) {
  std::vector<cv::Point> points;
  for (size_t s = 0; s < std::min(steps, values.size()); ++s)
    points.push_back(frame.at(static_cast<double>(s), values[s]));
  if (points.size() > 1) cv::polylines(image, points, false, colour, width, cv::LINE_AA, 4);
}

}  // namespace

std::vector<Strip> make_strips(const EnvironmentSpec& spec, const Trajectories& trajectories, int64_t t) {
  std::vector<Strip> strips;
  for (int64_t i = 0; i < std::min(spec.observation_size, kObservations); ++i)
    strips.push_back({name_of(spec.observation_names, "observation", i)});
  const size_t actions = strips.size();
  for (int64_t i = 0; i < std::min(spec.action_entries(), kActions); ++i)
    strips.push_back({name_of(spec.action_names, "action", i)});
  const size_t reward = strips.size();
  strips.push_back({"reward"});
  for (int64_t n = 0; n < trajectories.per_task(); ++n) {
    const auto seen = trajectories.observations(t, n);
    const auto done = trajectories.actions(t, n);
    const auto rewards = trajectories.rewards(t, n);
    for (size_t i = 0; i < strips.size(); ++i) {
      auto& line = strips[i].values.emplace_back();
      for (Eigen::Index s = 0; s < seen.cols(); ++s) {
        const auto row = static_cast<Eigen::Index>(i);
        line.push_back(i < actions  ? seen(row, s)
                       : i < reward ? done(row - static_cast<Eigen::Index>(actions), s)
                                    : rewards[s]);
      }
    }
  }
  for (auto& strip : strips) find_range(strip);
  return strips;
}

int64_t omitted_strips(const EnvironmentSpec& spec) {
  return std::max<int64_t>(0, spec.observation_size - kObservations) +
         std::max<int64_t>(0, spec.action_entries() - kActions);
}

void share_ranges(std::vector<std::vector<Strip>>& pictures) {
  for (size_t i = 0; i < pictures.front().size(); ++i) {
    double low = pictures.front()[i].low, high = pictures.front()[i].high;
    for (const auto& strips : pictures)
      low = std::min(low, strips[i].low), high = std::max(high, strips[i].high);
    for (auto& strips : pictures) strips[i].low = low, strips[i].high = high;
  }
}

SeriesRenderer::SeriesRenderer(std::vector<Strip> strips, int64_t omitted, size_t focus, int64_t horizon,
                               cv::Size size)
    : strips_(std::move(strips)), omitted_(omitted), focus_(focus), horizon_(horizon), size_(size) {
  require(!strips_.empty() && focus_ < strips_.front().values.size(), "cannot film trajectory ", focus_,
          " of ", strips_.empty() ? 0 : strips_.front().values.size());
  require(horizon > 0, "cannot film episodes of ", horizon, " steps, expected more than 0");
}

int64_t SeriesRenderer::frames() const {
  return static_cast<int64_t>(strips_.front().values[focus_].size()) + 1;
}

cv::Mat SeriesRenderer::frame(int64_t t) const {
  require(t >= 0 && t < frames(), "frame ", t, " of a film of ", frames(), " frames");
  return draw(static_cast<size_t>(t), static_cast<size_t>(t));
}

cv::Mat SeriesRenderer::whole() const {
  return draw(static_cast<size_t>(frames()), std::numeric_limits<size_t>::max());
}

cv::Mat SeriesRenderer::draw(size_t steps, size_t batch_steps) const {
  cv::Mat image(size_, CV_8UC3, kPaper);
  const Font font;
  const auto count = static_cast<double>(strips_.size());
  const double height = (size_.height - kAxisHeight - kBetween * count) / count;
  const double width = size_.width - kNames - kRight;
  const auto last = static_cast<double>(std::max<int64_t>(1, horizon_ - 1));
  for (size_t i = 0; i < strips_.size(); ++i) {
    const Strip& strip = strips_[i];
    const Frame frame{{kNames, kBetween + static_cast<double>(i) * (height + kBetween), width, height},
                      strip.low,
                      strip.high,
                      last};
    cv::rectangle(image, cv::Rect(frame.box), kPanelPaper, cv::FILLED);
    if (strip.low < 0 && strip.high > 0)
      cv::line(image, frame.at(0, 0), frame.at(last, 0), kStripGrid, 1, cv::LINE_8, 4);
    for (size_t n = 0; n < strip.values.size(); ++n) {
      if (n != focus_) draw_line(image, frame, strip.values[n], batch_steps, kOtherLines, 1);
    }
    const auto& line = strip.values[focus_];
    draw_line(image, frame, line, steps, kLine, 2);
    if (steps > 0 && steps <= line.size())
      cv::circle(image, frame.at(static_cast<double>(steps - 1), line[steps - 1]), 5 << 4, kLine, cv::FILLED,
                 cv::LINE_AA, 4);
    cv::rectangle(image, cv::Rect(frame.box), kFrame, 1);
    const double middle = frame.box.y + height / 2;
    draw_text(image, font, strip.name, {8, middle + 4}, Align::kLeft, kNameSize, kInk);
    if (height < 2.4 * kRangeSize) continue;
    draw_text(image, font, figure(strip.high), {kNames - 6, frame.box.y + kRangeSize}, Align::kRight,
              kRangeSize, kLabel);
    draw_text(image, font, figure(strip.low), {kNames - 6, frame.box.y + height - 2}, Align::kRight,
              kRangeSize, kLabel);
  }
  const double bottom = size_.height - 8;
  draw_text(image, font, "step 1", {kNames, bottom}, Align::kLeft, kRangeSize, kLabel);
  draw_text(image, font, concat("step ", horizon_), {kNames + width, bottom}, Align::kRight, kRangeSize,
            kLabel);
  return image;
}

std::vector<LegendEntry> SeriesRenderer::legend() const {
  using Symbol = LegendEntry::Symbol;
  std::vector<LegendEntry> entries{{Symbol::kLine, kLine, "trajectory 1"}};
  const size_t batch = strips_.front().values.size();
  if (batch > 1) entries.push_back({Symbol::kLine, kOtherLines, concat("the other ", batch - 1)});
  if (omitted_ > 0) entries.push_back({Symbol::kText, {}, concat(omitted_, " more numbers are not shown")});
  return entries;
}

}  // namespace innerloop
