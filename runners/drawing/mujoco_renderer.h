// One recorded trajectory of a MuJoCo environment as pictures, with what its task asks for put into the
// scene.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "envs/mujoco_scene.h"
#include "runners/drawing/mujoco_stage.h"
#include "runners/drawing/trajectory_renderer.h"

namespace innerloop {

class MujocoRenderer : public TrajectoryRenderer {
 public:
  // `states` holds qpos after 0, 1, 2, ... steps of `step_seconds`.
  MujocoRenderer(std::shared_ptr<MujocoStage> stage, std::vector<Eigen::VectorXd> states,
                 const TaskMark& mark, double step_seconds);

  cv::Size size() const override { return stage_->size(); }
  int64_t frames() const override { return static_cast<int64_t>(states_.size()); }
  cv::Mat frame(int64_t t) const override;  // the camera goes with the animal
  cv::Mat whole() const override;           // the camera stands, the animal is seen at several times
  // "1.32 m/s forward": the speed of the centre of mass along x over the last 0.1 s; of a goal, the distance
  // from it.
  std::string figures(int64_t t) const override;
  std::vector<LegendEntry> legend() const override;

 private:
  std::vector<mjvGeom> marks(int64_t t) const;
  const Eigen::Vector3d& centre(int64_t t) const { return centres_[static_cast<size_t>(t)]; }

  std::shared_ptr<MujocoStage> stage_;
  std::vector<Eigen::VectorXd> states_;
  std::vector<Eigen::Vector3d> centres_;  // of mass, metres
  TaskMark mark_;
  double step_seconds_;
};

}  // namespace innerloop
