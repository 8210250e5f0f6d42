// The planar hopper and walker whose masses, inertias, frictions and dampings differ from task to task, and
// which must hop or walk forward (rand_param_envs; used by PEARL and ProMP), in MuJoCo (assets/hopper.xml: 4
// bodies, 6 degrees of freedom, 3 motors; assets/walker2d.xml: 7, 9 and 6).
//
// observation  q[1..], then v, clipped to [-10, 10]; q are the positions and v the velocities of rootx, rootz
//              (metres), rooty (radians), then the joints in the order of the motors. Hopper 11 numbers,
//              walker 17
// action       torques of thigh, leg, foot (then thigh_left, leg_left, foot_left) in units of 200 N m
//              (hopper) or 100 N m (walker) times the scale 1: a = clip(action / scale, -1, 1);
//              environment.action_scale of the configuration replaces the scale
// reward       u + 1 - 0.001 |a|^2; u = (x' - x) / seconds of the step, with x of rootx
// task         a multiplier for every mass, inertia, friction and damping: envs/model_multipliers.h; hopper
// 34
//              numbers, walker 58
// start        MuJoCo's initial state (upright, 1.25 m) plus U(-.005, .005) in every entry of q and v
// end          a healthy state is left: q[1] (height) in `height`, q[2] (lean) in (-lean, lean), every entry
//              of q[2..] and v in (-100, 100)
//
// name                  time step   skip  step     height     lean  H
// hopper_rand_params    0.002, RK4  4     0.008 s  (.7, inf)  .2    200
// walker2d_rand_params  0.004, RK4  4     0.016 s  (.8, 2)    1     200
//
// Source: rand_param_envs, played inside a normalising wrapper that clips actions (PEARL's), on the models of
// Gym's v5 with exact capsule inertias. rand_param_envs' walker has a time step of 0.004 s, twice that of
// walker2d.xml, which is set in each environment's own copy of the model. The copy's textures are small.
#pragma once

#include <limits>
#include <string>

#include "envs/model_multipliers.h"
#include "envs/mujoco_environment.h"

namespace innerloop {

struct PlanarWalkerDef {
  std::string name;
  std::string description;
  int64_t horizon = 200;
  std::string model;
  double time_step = 0.002;  // seconds, in place of the model's own
  int frame_skip = 4;        // time steps in one step
  double lowest = 0, highest = std::numeric_limits<double>::infinity();  // metres
  double lean = 1;                                                       // radians
  StartNoise noise{.position = 0.005, .velocity_kind = StartNoise::Kind::kUniform, .velocity = 0.005};
  double action_scale = 1;  // the action that gives the full torque
};

// The variants of the table above.
PlanarWalkerDef hopper_rand_params();
PlanarWalkerDef walker2d_rand_params();

class PlanarWalker : public MujocoEnvironment {
 public:
  explicit PlanarWalker(const PlanarWalkerDef& def);

  Eigen::VectorXd sample_task(Stream& stream) const override { return multipliers_.sample(stream); }
  TaskMark task_mark() const override { return {}; }

 private:
  PlanarWalker(const PlanarWalkerDef& def, ModelMultipliers multipliers);

  void check_task(const Eigen::VectorXd& task) const override;
  void take_task() override { multipliers_.apply(task()); }
  StepResult judge(double velocity, double squared_action) const override;
  void observe(Eigen::VectorXf& observation) const override;

  PlanarWalkerDef def_;
  ModelMultipliers multipliers_;
};

}  // namespace innerloop
