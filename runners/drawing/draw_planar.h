// Pictures of an environment in the plane: arena, walls, goal, the trail of one trajectory in full colour and
// the other trajectories of its batch faintly. Seen from the side, the trail is drawn below the scene, later
// lower, since what goes to and fro on a line would hide it.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "envs/planar.h"
#include "runners/drawing/planar_canvas.h"
#include "runners/drawing/trajectory_renderer.h"

namespace innerloop {

using Poses = std::vector<PlanarPose>;  // after 0, 1, 2, ... steps

// The scene's arena and a margin, grown so as to hold `paths`, but not beyond three times its size: a robot
// that has run away must not make all else invisible.
Eigen::AlignedBox2d fitted_arena(const PlanarScene& scene, const std::vector<Poses>& paths);

namespace planar_colours {
extern const cv::Scalar kTrail, kGoal;  // BGR
}

class PlanarRenderer : public TrajectoryRenderer {
 public:
  // `batch` holds all trajectories sampled together, `focus` is the one that is filmed; scene.arena is what
  // the pictures show. `horizon` steps fit below a scene that is seen from the side.
  PlanarRenderer(const PlanarScene& scene, std::vector<Poses> batch, size_t focus, int64_t horizon,
                 int pixels = 540);

  cv::Size size() const override { return view_.size(); }
  int64_t frames() const override { return static_cast<int64_t>(batch_[focus_].size()); }
  cv::Mat frame(int64_t t) const override;
  cv::Mat whole() const override;
  std::vector<LegendEntry> legend() const override;
  const PlanarView& view() const { return view_; }

 private:
  // The others after `batch_steps` steps, their trails of the last `batch_trail` of these.
  cv::Mat draw(size_t steps, size_t batch_steps, size_t batch_trail, double batch_opacity) const;
  void draw_path(PlanarCanvas& canvas, const Poses& path, size_t first, size_t last, const cv::Scalar& from,
                 const cv::Scalar& to, double width) const;
  void draw_goal(PlanarCanvas& canvas) const;
  void draw_ground();
  cv::Mat labelled(cv::Mat picture) const;
  bool sideways() const { return scene_.view == PlanarScene::View::kFromTheSide; }
  Eigen::Vector2d trail(const Poses& path, size_t step) const;  // where it is drawn

  PlanarScene scene_;
  std::vector<Poses> batch_;
  size_t focus_;
  int64_t horizon_;
  PlanarView view_;
  PlanarCanvas ground_;  // all that does not move
};

}  // namespace innerloop
