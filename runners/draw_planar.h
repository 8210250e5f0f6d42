// Pictures of a planar point robot: arena, walls, goal, the trail of one trajectory in full colour and the
// other trajectories of its batch faintly.
#pragma once

#include <Eigen/Core>
#include <opencv2/core.hpp>
#include <vector>

#include "envs/planar.h"
#include "runners/trajectory_renderer.h"

namespace innerloop {

using Path = std::vector<Eigen::Vector2d>;  // positions after 0, 1, 2, ... steps, metres

// Maps metres to pixels of a picture of `scene` whose longer side is `pixels` long (rounded to even sides).
class PlanarView {
 public:
  PlanarView(const PlanarScene& scene, int pixels);

  cv::Size size() const { return size_; }
  cv::Point2d at(const Eigen::Vector2d& position) const;  // y points up in the plane, down in the picture
  double pixels(double metres) const { return metres * scale_; }

 private:
  Eigen::AlignedBox2d arena_;
  double scale_;
  cv::Size size_;
};

namespace planar_colours {
extern const cv::Scalar kTrail, kGoal;  // BGR
}

class PlanarRenderer : public TrajectoryRenderer {
 public:
  // `batch` holds the paths of all trajectories sampled together, `focus` is the one that is filmed.
  PlanarRenderer(const PlanarScene& scene, std::vector<Path> batch, size_t focus, int pixels = 540);

  cv::Size size() const override { return view_.size(); }
  int64_t frames() const override { return static_cast<int64_t>(batch_[focus_].size()); }
  cv::Mat frame(int64_t t) const override;
  cv::Mat whole() const override;

 private:
  // The others after `batch_steps` steps, their trails of the last `batch_trail` of these.
  cv::Mat draw(size_t steps, size_t batch_steps, size_t batch_trail, double batch_opacity) const;

  PlanarScene scene_;
  std::vector<Path> batch_;
  size_t focus_;
  PlanarView view_;
  cv::Mat ground_;  // all that does not move, supersampled
};

}  // namespace innerloop
