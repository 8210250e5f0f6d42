#include "runners/drawing/draw_planar.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "runners/drawing/colours.h"
#include "runners/drawing/text.h"

namespace innerloop {

const cv::Scalar planar_colours::kTrail(205, 92, 30);
const cv::Scalar planar_colours::kGoal(76, 160, 38);

namespace {

using planar_colours::kGoal;
using planar_colours::kTrail;

// BGR.
const cv::Scalar kGrid(240, 236, 233);
const cv::Scalar kAxis(221, 213, 207);
const cv::Scalar kSolid(92, 76, 66);
const cv::Scalar kGoalRegion(214, 240, 205);
const cv::Scalar kOtherGoal(190, 178, 168);
const cv::Scalar kOthers(196, 150, 110);
const cv::Scalar kTrailStart(246, 220, 192);
const cv::Scalar kDark(120, 104, 92);

constexpr double kHistory = 0.5;  // height of the trail below a scene seen from the side, of its width
constexpr double kBatchOpacity = 0.42, kWholeOpacity = 0.25;
constexpr size_t kBatchTrail = 12;  // steps

cv::Scalar mix(const cv::Scalar& a, const cv::Scalar& b, double share) { return a * (1 - share) + b * share; }

// A step of 1, 2 or 5 times a power of ten that cuts `extent` into about `parts`.
double grid_step(double extent, double parts = 8) {
  const double power = std::pow(10, std::floor(std::log10(extent / parts)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= extent / parts) return factor * power;
  }
  return 10 * power;
}

// Positions of the grid lines inside [low, high].
std::vector<double> grid_lines(double low, double high) {
  const double step = grid_step(high - low);
  std::vector<double> lines;
  for (double i = std::ceil(low / step + 1e-9); i * step < high - 1e-9; ++i) lines.push_back(i * step);
  return lines;
}

std::string number(double value) {
  std::string text = concat(std::round(std::abs(value) * 1000) / 1000);
  return value < -5e-4 ? "\u2212" + text : text;
}

// The arena with room for the trail below it.
Eigen::AlignedBox2d with_history(const PlanarScene& scene) {
  Eigen::AlignedBox2d all = scene.arena;
  if (scene.view == PlanarScene::View::kFromTheSide && !all.isEmpty())
    all.min().y() -= kHistory * all.sizes().x();
  return all;
}

}  // namespace

Eigen::AlignedBox2d fitted_arena(const PlanarScene& scene, const std::vector<Poses>& paths) {
  constexpr double kMargin = 0.06;
  const Eigen::Vector2d size = scene.arena.sizes();
  const bool sideways = scene.view == PlanarScene::View::kFromTheSide;
  Eigen::AlignedBox2d arena = scene.arena;
  for (const auto& path : paths) {
    for (const auto& pose : path) {
      arena.extend(pose.position);
      for (const auto& shape : pose.body) arena.extend(bounds(shape));
    }
  }
  arena = arena.intersection(Eigen::AlignedBox2d(scene.arena.min() - size, scene.arena.max() + size));
  Eigen::Vector2d margin = Eigen::Vector2d::Constant(kMargin * arena.sizes().maxCoeff());
  if (sideways) margin.setZero();  // such a scene says itself what it needs
  return {arena.min() - margin, arena.max() + margin};
}

PlanarRenderer::PlanarRenderer(const PlanarScene& scene, std::vector<Poses> batch, size_t focus,
                               int64_t horizon, int pixels)
    : scene_(scene),
      batch_(std::move(batch)),
      focus_(focus),
      horizon_(horizon),
      view_(with_history(scene), pixels),
      ground_(view_) {
  require(focus_ < batch_.size(), "cannot film trajectory ", focus_, " of ", batch_.size());
  for (const auto& path : batch_) require(!path.empty(), "cannot film a trajectory without positions");
  require(horizon > 0, "cannot film episodes of ", horizon, " steps, expected more than 0");
  draw_ground();
}

void PlanarRenderer::draw_ground() {
  const auto& all = view_.arena();
  for (const double x : grid_lines(all.min().x(), all.max().x())) {
    const bool origin = std::abs(x) < 1e-9;
    ground_.line({x, all.min().y()}, {x, all.max().y()}, origin ? kAxis : kGrid, origin ? 1.5 : 1);
  }
  if (!sideways()) {
    for (const double y : grid_lines(all.min().y(), all.max().y())) {
      const bool origin = std::abs(y) < 1e-9;
      ground_.line({all.min().x(), y}, {all.max().x(), y}, origin ? kAxis : kGrid, origin ? 1.5 : 1);
    }
  }
  for (const auto& other : scene_.other_goals) ground_.outline(other, kOtherGoal, 1.5);
  if (scene_.goal) {
    ground_.fill(*scene_.goal, kGoalRegion);
    if (sideways()) {
      const auto goal = bounds(*scene_.goal);
      ground_.fill(make_box({Eigen::Vector2d(goal.min().x(), all.min().y()),
                             Eigen::Vector2d(goal.max().x(), scene_.arena.min().y())}),
                   mix(kPaper, kGoalRegion, 0.6));
    }
  }
  for (const auto& shape : scene_.solid) ground_.fill(shape, kSolid);
}

// The region of success to scale; where that is small, four strokes point at it.
void PlanarRenderer::draw_goal(PlanarCanvas& canvas) const {
  if (!scene_.goal) return;
  canvas.outline(*scene_.goal, kGoal, 2);
  const auto region = bounds(*scene_.goal);
  constexpr double kSmall = 24, kGap = 3, kStroke = 8;  // pixels
  if (view_.pixels(region.sizes().maxCoeff()) > kSmall) return;
  const double pixel = 1 / view_.pixels(1);
  for (const Eigen::Vector2d& way :
       {Eigen::Vector2d(1, 0), Eigen::Vector2d(0, 1), Eigen::Vector2d(-1, 0), Eigen::Vector2d(0, -1)}) {
    const Eigen::Vector2d from = region.center() + way * (region.sizes().maxCoeff() / 2 + kGap * pixel);
    canvas.line(from, from + way * kStroke * pixel, kGoal, 2);
  }
}

Eigen::Vector2d PlanarRenderer::trail(const Poses& path, size_t step) const {
  const Eigen::Vector2d place = path[step].position;
  if (!sideways()) return place;
  const double depth = scene_.arena.min().y() - view_.arena().min().y();
  return {place.x(), scene_.arena.min().y() -
                         depth * std::min(1.0, static_cast<double>(step) / static_cast<double>(horizon_))};
}

// The part of the path between two times, from one colour to another.
void PlanarRenderer::draw_path(PlanarCanvas& canvas, const Poses& path, size_t first, size_t last,
                               const cv::Scalar& from, const cv::Scalar& to, double width) const {
  last = std::min(last, path.size() - 1);
  for (size_t i = first; i < last; ++i) {
    const double share = static_cast<double>(i + 1 - first) / static_cast<double>(last - first);
    canvas.line(trail(path, i), trail(path, i + 1), mix(from, to, share), width);
  }
}

cv::Mat PlanarRenderer::frame(int64_t t) const {
  require(t >= 0 && t < frames(), "frame ", t, " of a film of ", frames(), " frames");
  const auto steps = static_cast<size_t>(t);
  return draw(steps, steps, sideways() ? steps : kBatchTrail, kBatchOpacity);
}

cv::Mat PlanarRenderer::whole() const {
  size_t longest = 0;
  for (const auto& path : batch_) longest = std::max(longest, path.size() - 1);
  return draw(batch_[focus_].size() - 1, longest, longest, kWholeOpacity);
}

cv::Mat PlanarRenderer::draw(size_t steps, size_t batch_steps, size_t batch_trail,
                             double batch_opacity) const {
  PlanarCanvas canvas = ground_.copy(), others = ground_.copy();
  for (size_t n = 0; n < batch_.size(); ++n) {
    if (n == focus_) continue;
    const size_t now = std::min(batch_steps, batch_[n].size() - 1);
    draw_path(others, batch_[n], batch_steps - std::min(batch_steps, batch_trail), now, kOthers, kOthers, 1);
    others.disc(trail(batch_[n], now), 3, kOthers);
  }
  canvas.blend(others, batch_opacity);
  const Poses& path = batch_[focus_];
  const Eigen::Vector2d now = trail(path, steps);
  draw_path(canvas, path, 0, steps, kTrailStart, kTrail, 3);
  if (!sideways()) {
    canvas.disc(path.front().position, 4, kPaper);
    canvas.ring(path.front().position, 4, kDark, 1.5);
  }
  draw_goal(canvas);  // seen through everything but the body
  // To scale, but never smaller than can be seen.
  canvas.disc(now, sideways() ? 5 : 6, kPaper);
  canvas.disc(now, sideways() ? 3.5 : 4.5, kTrail);
  bool first = true;
  for (const auto& shape : path[steps].body) {
    canvas.fill(shape, kPaper, 1.5);
    canvas.fill(shape, first ? kTrail : kDark);
    first = false;
  }
  return labelled(canvas.picture());
}

// Coordinates in metres along the lower and left edge, small and pale, and the frame.
cv::Mat PlanarRenderer::labelled(cv::Mat picture) const {
  const Font font;
  const double size = 11;
  const auto& all = view_.arena();
  const double bottom = view_.at(all.min()).y;
  for (const double x : grid_lines(all.min().x(), all.max().x())) {
    const double at = view_.at({x, 0}).x;
    if (at < 36) continue;  // the corner is the y axis'
    draw_text(picture, font, number(x), {at, bottom - 6}, Align::kCentre, size, kLabel);
  }
  if (sideways()) {
    const double top = view_.at({0, scene_.arena.min().y()}).y;
    draw_text(picture, font, "start", {6, top + 12}, Align::kLeft, size, kLabel);
    draw_text(picture, font, concat("step ", horizon_), {6, bottom - 22}, Align::kLeft, size, kLabel);
  } else {
    for (const double y : grid_lines(all.min().y(), all.max().y())) {
      const double at = view_.at({0, y}).y;
      if (bottom - at < 30) continue;
      draw_text(picture, font, number(y), {6, at + 4}, Align::kLeft, size, kLabel);
    }
  }
  cv::rectangle(picture, {0, 0}, {picture.cols - 1, picture.rows - 1}, kFrame, 1);
  return picture;
}

std::vector<LegendEntry> PlanarRenderer::legend() const {
  using Symbol = LegendEntry::Symbol;
  std::vector<LegendEntry> entries;
  if (!sideways()) entries.push_back({Symbol::kRing, kDark, "start"});
  if (scene_.goal) {
    const auto shape = scene_.goal->points.size() == 1 ? Symbol::kRing : Symbol::kBox;
    entries.push_back({shape, kGoal, "goal: where success is"});
  }
  if (!scene_.other_goals.empty()) entries.push_back({Symbol::kRing, kOtherGoal, "goals of other tasks"});
  entries.push_back({Symbol::kLine, kTrail, sideways() ? "trajectory 1, later is lower" : "trajectory 1"});
  if (batch_.size() > 1)
    entries.push_back({Symbol::kLine, mix(kPaper, kOthers, 0.6), concat("the other ", batch_.size() - 1)});
  return entries;
}

}  // namespace innerloop
