#include "runners/draw_planar.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "runners/text.h"

namespace innerloop {

const cv::Scalar planar_colours::kTrail(205, 92, 30);
const cv::Scalar planar_colours::kGoal(76, 160, 38);

namespace {

using planar_colours::kGoal;
using planar_colours::kTrail;

constexpr int kSupersampling = 2;  // on top of OpenCV's antialiasing, which has no gaps at joints then
constexpr int kShift = 6;          // OpenCV's fixed point: positions in 1/64 pixel

// BGR.
const cv::Scalar kPaper(255, 255, 255);
const cv::Scalar kGrid(240, 236, 233);
const cv::Scalar kAxis(221, 213, 207);
const cv::Scalar kFrame(190, 178, 168);
const cv::Scalar kLabel(150, 136, 124);
const cv::Scalar kWall(92, 76, 66);
const cv::Scalar kGoalHalo(214, 240, 205);
const cv::Scalar kOtherGoal(190, 178, 168);
const cv::Scalar kOthers(196, 150, 110);
const cv::Scalar kTrailStart(246, 220, 192);
const cv::Scalar kStart(120, 104, 92);

cv::Point fixed(cv::Point2d p) {
  // Pixel centres have whole coordinates in OpenCV, pixel edges in PlanarView.
  const double unit = 1 << kShift;
  return {static_cast<int>(std::lround((p.x * kSupersampling - 0.5) * unit)),
          static_cast<int>(std::lround((p.y * kSupersampling - 0.5) * unit))};
}

int supersampled(double pixels) {
  return std::max(1, static_cast<int>(std::lround(pixels * kSupersampling)));
}

void line(cv::Mat& image, cv::Point2d from, cv::Point2d to, const cv::Scalar& colour, double width) {
  cv::line(image, fixed(from), fixed(to), colour, supersampled(width), cv::LINE_AA, kShift);
}

void disc(cv::Mat& image, cv::Point2d centre, double radius, const cv::Scalar& colour) {
  const int r = static_cast<int>(std::lround(radius * kSupersampling * (1 << kShift)));
  cv::circle(image, fixed(centre), r, colour, cv::FILLED, cv::LINE_AA, kShift);
}

void ring(cv::Mat& image, cv::Point2d centre, double radius, const cv::Scalar& colour, double width) {
  const int r = static_cast<int>(std::lround(radius * kSupersampling * (1 << kShift)));
  cv::circle(image, fixed(centre), r, colour, supersampled(width), cv::LINE_AA, kShift);
}

cv::Scalar mix(const cv::Scalar& a, const cv::Scalar& b, double share) { return a * (1 - share) + b * share; }

// A step of 1, 2 or 5 times a power of ten that cuts `extent` into about eight.
double grid_step(double extent) {
  const double power = std::pow(10, std::floor(std::log10(extent / 8)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= extent / 8) return factor * power;
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

void draw_grid(cv::Mat& image, const PlanarView& view, const Eigen::AlignedBox2d& arena) {
  for (const int axis : {0, 1}) {
    for (const double at : grid_lines(arena.min()[axis], arena.max()[axis])) {
      Eigen::Vector2d from = arena.min(), to = arena.max();
      from[axis] = to[axis] = at;
      const bool origin = std::abs(at) < 1e-9;
      line(image, view.at(from), view.at(to), origin ? kAxis : kGrid, origin ? 1.5 : 1);
    }
  }
}

// Coordinates in metres along the lower and left edge, small and pale; set after supersampling.
void draw_grid_labels(cv::Mat& image, const PlanarView& view, const Eigen::AlignedBox2d& arena) {
  const Font font;
  const double size = 11;
  const cv::Point2d corner = view.at(arena.min());
  for (const double x : grid_lines(arena.min().x(), arena.max().x())) {
    const cv::Point2d at = view.at({x, arena.min().y()});
    if (at.x < 36) continue;  // the corner is the y axis'
    draw_text(image, font, number(x), {at.x, corner.y - 6}, Align::kCentre, size, kLabel);
  }
  for (const double y : grid_lines(arena.min().y(), arena.max().y())) {
    const cv::Point2d at = view.at({arena.min().x(), y});
    if (corner.y - at.y < 30) continue;
    draw_text(image, font, number(y), {6, at.y + 4}, Align::kLeft, size, kLabel);
  }
}

double goal_pixels(const PlanarView& view, const PlanarScene& scene) {
  return std::max(3.0, view.pixels(scene.goal_radius));
}

constexpr double kHalo = 8;  // pixels around the success region: where to look when it is tiny

void draw_goals(cv::Mat& image, const PlanarView& view, const PlanarScene& scene) {
  for (const auto& other : scene.other_goals) {
    ring(image, view.at(other), std::max(6.0, view.pixels(scene.goal_radius)), kOtherGoal, 1.5);
  }
  disc(image, view.at(scene.goal), goal_pixels(view, scene) + kHalo, kGoalHalo);
}

// The success region to scale, inside a ring.
void draw_goal_mark(cv::Mat& image, const PlanarView& view, const PlanarScene& scene) {
  const double region = goal_pixels(view, scene);
  ring(image, view.at(scene.goal), region + kHalo, kGoal, 1.5);
  // A region larger than the body would hide what happens in it.
  if (view.pixels(scene.goal_radius) > 2 * view.pixels(scene.body_radius)) {
    ring(image, view.at(scene.goal), region, kGoal, 3);
  } else {
    disc(image, view.at(scene.goal), region, kGoal);
  }
}

cv::Mat draw_ground(const PlanarScene& scene, const PlanarView& view) {
  cv::Mat image(view.size() * kSupersampling, CV_8UC3, kPaper);
  draw_grid(image, view, scene.arena);
  draw_goals(image, view, scene);
  for (const auto& wall : scene.walls) {
    const cv::Point2d a = view.at(wall.min()), b = view.at(wall.max());
    const std::vector<cv::Point> corners{fixed(a), fixed({b.x, a.y}), fixed(b), fixed({a.x, b.y})};
    cv::fillConvexPoly(image, corners, kWall, cv::LINE_AA, kShift);
  }
  return image;
}

// Back to the picture's own resolution, with the frame and the labels.
cv::Mat finish(const cv::Mat& supersampled_image, const PlanarView& view, const PlanarScene& scene) {
  cv::Mat image;
  cv::resize(supersampled_image, image, view.size(), 0, 0, cv::INTER_AREA);
  draw_grid_labels(image, view, scene.arena);
  cv::rectangle(image, {0, 0}, {image.cols - 1, image.rows - 1}, kFrame, 1);
  return image;
}

// The part of the path between two times, from one colour to another.
void draw_path(cv::Mat& image, const PlanarView& view, const Path& path, size_t first, size_t last,
               const cv::Scalar& from, const cv::Scalar& to, double width) {
  last = std::min(last, path.size() - 1);
  for (size_t i = first; i < last; ++i) {
    const double share = static_cast<double>(i + 1 - first) / static_cast<double>(last - first);
    line(image, view.at(path[i]), view.at(path[i + 1]), mix(from, to, share), width);
  }
}

// Draws with `paint` on a copy and blends the copy in.
template <class Paint>
void blend(cv::Mat& image, double opacity, Paint&& paint) {
  cv::Mat layer = image.clone();
  paint(layer);
  cv::addWeighted(layer, opacity, image, 1 - opacity, 0, image);
}

void draw_start(cv::Mat& image, const PlanarView& view, const Eigen::Vector2d& start) {
  disc(image, view.at(start), 4, kPaper);
  ring(image, view.at(start), 4, kStart, 1.5);
}

}  // namespace

PlanarView::PlanarView(const PlanarScene& scene, int pixels) : arena_(scene.arena) {
  require(!arena_.isEmpty() && arena_.sizes().minCoeff() > 0, "cannot draw an arena from (",
          arena_.min().transpose(), ") to (", arena_.max().transpose(), ")");
  require(pixels > 0, "cannot draw a picture of ", pixels, " pixels, expected more than 0");
  scale_ = pixels / arena_.sizes().maxCoeff();
  const auto even = [&](double metres) {
    return std::max(2, 2 * static_cast<int>(std::lround(metres * scale_ / 2)));
  };
  size_ = {even(arena_.sizes().x()), even(arena_.sizes().y())};
}

cv::Point2d PlanarView::at(const Eigen::Vector2d& position) const {
  return {(position.x() - arena_.min().x()) * scale_, (arena_.max().y() - position.y()) * scale_};
}

PlanarRenderer::PlanarRenderer(const PlanarScene& scene, std::vector<Path> batch, size_t focus, int pixels)
    : scene_(scene), batch_(std::move(batch)), focus_(focus), view_(scene, pixels) {
  require(focus_ < batch_.size(), "cannot film trajectory ", focus_, " of ", batch_.size());
  for (const auto& path : batch_) require(!path.empty(), "cannot film a trajectory without positions");
  ground_ = draw_ground(scene_, view_);
}

cv::Mat PlanarRenderer::frame(int64_t t) const {
  require(t >= 0 && t < frames(), "frame ", t, " of a film of ", frames(), " frames");
  const auto steps = static_cast<size_t>(t);
  return draw(steps, steps, 12, 0.42);
}

cv::Mat PlanarRenderer::whole() const {
  size_t longest = 0;
  for (const auto& path : batch_) longest = std::max(longest, path.size() - 1);
  return draw(batch_[focus_].size() - 1, longest, longest, 0.25);
}

cv::Mat PlanarRenderer::draw(size_t steps, size_t batch_steps, size_t batch_trail,
                             double batch_opacity) const {
  cv::Mat image = ground_.clone();
  blend(image, batch_opacity, [&](cv::Mat& layer) {
    for (size_t n = 0; n < batch_.size(); ++n) {
      if (n == focus_) continue;
      const size_t now = std::min(batch_steps, batch_[n].size() - 1);
      draw_path(layer, view_, batch_[n], batch_steps - std::min(batch_steps, batch_trail), now, kOthers,
                kOthers, 1);
      disc(layer, view_.at(batch_[n][now]), 3, kOthers);
    }
  });
  const Path& path = batch_[focus_];
  draw_path(image, view_, path, 0, steps, kTrailStart, kTrail, 3);
  draw_goal_mark(image, view_, scene_);  // seen through everything but the body
  draw_start(image, view_, path.front());
  // The body to scale, but never smaller than can be seen.
  const double radius = std::max(6.0, view_.pixels(scene_.body_radius));
  disc(image, view_.at(path[steps]), radius + 1.5, kPaper);
  disc(image, view_.at(path[steps]), radius, kTrail);
  return finish(image, view_, scene_);
}

}  // namespace innerloop
