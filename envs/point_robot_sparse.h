// A point robot whose goal, somewhere on a half circle, pays only from near by: what must be found before it
// can be adapted to (Rakelly et al. 2019, PEARL, section 6.3; code: oyster's sparse-point-robot).
//
// observation  position (x, y), metres, which starts at (0, 0)
// action       displacement per axis in units of 0.1 m, clipped to [-1, 1]
// reward       with d = |s' - g|_2 after the move:  1 - d where d <= goal_radius, else 0
// task         goal_x, goal_y = (cos w, sin w), w ~ U(0, pi): the half circle of radius 1 m
// end          none of its own; H = 20
// success      d <= goal_radius
//
//   environment.goal_radius      0.2 m, that of PEARL and of variBAD
//   environment.training_reward  what the outer loss of training reads (envs/training_reward.h):
//     dense   -d, as PEARL trains. A policy adapts by the reward above all the same, and is judged by it
//     sparse  the reward above, as variBAD trains (its SparsePointEnv, with H = 100)
//
// PEARL draws its goals once, at equal angles, 80 for training and 20 to test; here every task is a new one,
// as in variBAD.
#pragma once

#include <string>
#include <vector>

#include "base/settings.h"
#include "envs/call_checks.h"
#include "envs/environment.h"
#include "envs/planar.h"
#include "envs/training_reward.h"

namespace innerloop {

struct PointRobotSparseDef {
  enum class Training { kDense, kSparse };

  std::string name;
  std::string description;
  int64_t horizon = 20;
  double goal_radius = 0.2;  // metres
  Training training = Training::kDense;
};

PointRobotSparseDef point_robot_sparse();
const std::vector<Key>& own_keys(const PointRobotSparseDef&);  // of PointRobotSparseDef

class PointRobotSparse : public Environment, public Planar, public TrainingReward {
 public:
  explicit PointRobotSparse(const PointRobotSparseDef& def);

  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override;
  void set_task(const Eigen::VectorXd& task) override;
  void reset(Stream& stream, ObservationRef observation) override;
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override;
  double training_reward() const override;
  std::string task_text(const Eigen::VectorXd& task) const override;
  PlanarScene scene() const override;
  PlanarPose pose() const override;

 private:
  double distance() const { return (position_ - goal_).norm(); }
  double sparse() const;

  PointRobotSparseDef def_;
  EnvironmentSpec spec_;
  CallChecks checks_;
  Eigen::Vector2d goal_ = Eigen::Vector2d::Zero(), position_ = Eigen::Vector2d::Zero();
};

}  // namespace innerloop
