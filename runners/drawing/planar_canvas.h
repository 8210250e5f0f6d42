// A picture of a part of the plane: metres in, smooth figures out.
#pragma once

#include <Eigen/Geometry>
#include <opencv2/core.hpp>

#include "envs/planar.h"

namespace innerloop {

// Maps metres to pixels of a picture of `arena` whose longer side is `pixels` long (rounded to even sides).
class PlanarView {
 public:
  PlanarView(const Eigen::AlignedBox2d& arena, int pixels);

  const Eigen::AlignedBox2d& arena() const { return arena_; }
  cv::Size size() const { return size_; }
  cv::Point2d at(const Eigen::Vector2d& position) const;  // y points up in the plane, down in the picture
  double pixels(double metres) const { return metres * scale_; }

 private:
  Eigen::AlignedBox2d arena_;
  double scale_;
  cv::Size size_;
};

class PlanarCanvas {
 public:
  explicit PlanarCanvas(const PlanarView& view);  // white paper

  PlanarCanvas copy() const;
  // Widths in pixels, and discs of `pixels` radius where a radius in metres would be lost.
  void line(const Eigen::Vector2d& from, const Eigen::Vector2d& to, const cv::Scalar& colour, double width);
  void disc(const Eigen::Vector2d& centre, double pixels, const cv::Scalar& colour);
  void ring(const Eigen::Vector2d& centre, double pixels, const cv::Scalar& colour, double width);
  void fill(const Shape& shape, const cv::Scalar& colour, double grow_pixels = 0);
  void outline(const Shape& shape, const cv::Scalar& colour, double width);
  // The other picture's figures over this one's, `opacity` of 1.
  void blend(const PlanarCanvas& other, double opacity);

  const PlanarView& view() const { return view_; }
  cv::Mat picture() const;  // at the view's resolution, 8-bit BGR

 private:
  cv::Point fixed(cv::Point2d pixel) const;

  PlanarView view_;
  cv::Mat image_;  // supersampled
};

}  // namespace innerloop
