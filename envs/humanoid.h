// The humanoid that must go in a direction it is not shown (ProMP, Rothfuss et al. 2019), in MuJoCo (13
// bodies, 23 degrees of freedom, 17 motors; assets/humanoid.xml has Gym's numbers).
//
// observation  376 numbers: q without x and y (22: height, orientation as a quaternion w x y z, 17 joints); v
//              (23: the torso's velocity in the world's frame and turning in its own; then the joints'); of
//              each of 14 bodies, the world's first: mass and inertia about the humanoid's centre of mass
//              (140), velocity (84); the motors' torques (23, on the degrees of freedom); the external force
//              on each body (84)
// action       torques of the abdomen y z x; right hip x z y, right knee; left hip x z y, left knee; right
//              shoulder 1 2, right elbow; left shoulder 1 2, left elbow, in units of the largest times the
//              scale: a = clip(action / scale, -1, 1); environment.action_scale of the configuration replaces
//              the scale, 10
// reward       0.25 s - 0.016 |a|^2 - min(10, 5e-7 |f|^2) + 5 with f the external forces and s = 5 d . u, u
//              the velocity of the centre of mass over the step, m/s. (The source divides the way of a step
//              of five time steps by the length of one; and the cost is 0.1 of the squared control, which is
//              0.4 a)
// task         humanoid_direction: direction d along x, -1 or +1 with probability 1/2
//              humanoid_direction_2d: d = (direction_x, direction_y) of length 1, its angle uniform
// start        envs/mujoco_environment.h, with noise U(-.01, .01) in q and v
// end          the torso's height q[2], in metres, is not within [1, 2]; H = 200
//
// A step is five time steps of 0.003 s (Runge-Kutta): 0.015 s. Derived quantities are as MuJoCo left them, of
// the last stage of the last Runge-Kutta step, as in Gym; f needs mj_rnePostConstraint, which Gym's
// environments with MuJoCo 2.0 left out: they saw zeros there.
//
// Sources: ProMP's HumanoidRandDirecEnv and HumanoidRandDirec2DEnv inside its NormalizedEnv (scale 10); H is
// that of its scripts' other walkers. learn2learn's HumanoidForwardBackward is the former with another scale.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <string>
#include <vector>

#include "envs/mujoco_environment.h"

namespace innerloop {

struct HumanoidDef {
  std::string name;
  std::string description;
  int64_t horizon = 200;
  bool in_the_plane = false;  // directions of all angles
  double action_scale = 10;
  StartNoise noise{.position = 0.01, .velocity_kind = StartNoise::Kind::kUniform, .velocity = 0.01};
};

HumanoidDef humanoid_direction();
HumanoidDef humanoid_direction_2d();

class Humanoid : public MujocoEnvironment {
 public:
  explicit Humanoid(const HumanoidDef& def);

  Eigen::VectorXd sample_task(Stream& stream) const override;
  std::vector<Eigen::VectorXd> finite_tasks() const override;
  std::string task_text(const Eigen::VectorXd& task) const override;
  TaskMark task_mark() const override;

 protected:
  void check_task(const Eigen::VectorXd& task) const override;
  void derive() override;
  double place() const override { return centre_.dot(direction()); }  // along the task's direction
  StepResult judge(double velocity, double squared_action) const override;
  void observe(Eigen::VectorXf& observation) const override;

 private:
  Eigen::Vector2d direction() const;

  HumanoidDef def_;
  double total_mass_ = 0;
  Eigen::Vector2d centre_ = Eigen::Vector2d::Zero();  // of mass, x and y
};

}  // namespace innerloop
