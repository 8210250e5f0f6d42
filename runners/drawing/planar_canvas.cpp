#include "runners/drawing/planar_canvas.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "runners/drawing/colours.h"

namespace innerloop {
namespace {

constexpr int kSupersampling = 2;  // on top of OpenCV's antialiasing, which has no gaps at joints then
constexpr int kShift = 6;          // OpenCV's fixed point: positions in 1/64 pixel

int supersampled(double pixels) {
  return std::max(1, static_cast<int>(std::lround(pixels * kSupersampling)));
}

int fixed_radius(double pixels) {
  return static_cast<int>(std::lround(pixels * kSupersampling * (1 << kShift)));
}

}  // namespace

PlanarView::PlanarView(const Eigen::AlignedBox2d& arena, int pixels) : arena_(arena) {
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

PlanarCanvas::PlanarCanvas(const PlanarView& view)
    : view_(view), image_(view.size() * kSupersampling, CV_8UC3, kPaper) {}

PlanarCanvas PlanarCanvas::copy() const {
  PlanarCanvas other = *this;
  other.image_ = image_.clone();
  return other;
}

// Pixel centres have whole coordinates in OpenCV, pixel edges in PlanarView.
cv::Point PlanarCanvas::fixed(cv::Point2d p) const {
  const double unit = 1 << kShift;
  return {static_cast<int>(std::lround((p.x * kSupersampling - 0.5) * unit)),
          static_cast<int>(std::lround((p.y * kSupersampling - 0.5) * unit))};
}

void PlanarCanvas::line(const Eigen::Vector2d& from, const Eigen::Vector2d& to, const cv::Scalar& colour,
                        double width) {
  cv::line(image_, fixed(view_.at(from)), fixed(view_.at(to)), colour, supersampled(width), cv::LINE_AA,
           kShift);
}

void PlanarCanvas::disc(const Eigen::Vector2d& centre, double pixels, const cv::Scalar& colour) {
  cv::circle(image_, fixed(view_.at(centre)), fixed_radius(pixels), colour, cv::FILLED, cv::LINE_AA, kShift);
}

void PlanarCanvas::ring(const Eigen::Vector2d& centre, double pixels, const cv::Scalar& colour,
                        double width) {
  cv::circle(image_, fixed(view_.at(centre)), fixed_radius(pixels), colour, supersampled(width), cv::LINE_AA,
             kShift);
}

void PlanarCanvas::fill(const Shape& shape, const cv::Scalar& colour, double grow_pixels) {
  require(!shape.points.empty(), "a shape without points cannot be drawn");
  const double radius = view_.pixels(shape.radius) + grow_pixels;
  std::vector<cv::Point> corners;
  for (size_t i = 0; i < shape.points.size(); ++i) {
    corners.push_back(fixed(view_.at(shape.points[i])));
    if (radius <= 0) continue;
    disc(shape.points[i], radius, colour);
    line(shape.points[i], shape.points[(i + 1) % shape.points.size()], colour, 2 * radius);
  }
  if (corners.size() > 2) cv::fillConvexPoly(image_, corners, colour, cv::LINE_AA, kShift);
}

void PlanarCanvas::outline(const Shape& shape, const cv::Scalar& colour, double width) {
  if (shape.points.size() == 1) return ring(shape.points[0], view_.pixels(shape.radius), colour, width);
  for (size_t i = 0; i < shape.points.size(); ++i)
    line(shape.points[i], shape.points[(i + 1) % shape.points.size()], colour, width);
}

void PlanarCanvas::blend(const PlanarCanvas& other, double opacity) {
  cv::addWeighted(other.image_, opacity, image_, 1 - opacity, 0, image_);
}

cv::Mat PlanarCanvas::picture() const {
  cv::Mat image;
  cv::resize(image_, image, view_.size(), 0, 0, cv::INTER_AREA);
  return image;
}

}  // namespace innerloop
