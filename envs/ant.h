// The four-legged ant that must run at a velocity, in a direction, or to a place that it is not shown (Finn
// et al. 2017, section 5.3), in MuJoCo (13 bodies, 14 degrees of freedom, 8 motors; assets/ant.xml is Gym's,
// assets/ant_rllab.xml rllab's).
//
// observation  125 numbers: q (15: the torso's place, in metres, and orientation, a quaternion w x y z; then
//              hip_1, ankle_1, ..., hip_4, ankle_4, radians); v (14: the torso's velocity in the world's
//              frame and turning in its own; then the joints'); f (84), the external force on each of 14
//              bodies, the world's first, as torque and force (N m, N) about the ant's centre of mass, each
//              number clipped to [-1, 1]; the torso's rotation matrix (9); a point (x, y, z)
// action       torques of hip_4, ankle_4, hip_1, ankle_1, hip_2, ankle_2, hip_3, ankle_3 in units of 150 N m
//              times the scale: a = clip(action / scale, -1, 1); environment.action_scale of the
//              configuration replaces the scale
// reward       run - 0.005 |a|^2 - 0.0005 |f|^2 + 0.05, at every step, also the last, with run =
//                velocity   1 - |u - velocity|, with u the velocity along x
//                direction  direction * u
//                goal       4 - |x - goal_x| - |y - goal_y|, with x, y of the point
// task         velocity (m/s), U(0, 3); direction, -1 or +1 with probability 1/2; goal (goal_x, goal_y),
//              metres, both U(-3, 3)
// start        envs/mujoco_environment.h, with noise: rllab .01 N(0, 1) in q, .1 N(0, 1) in v; gym U(-.1, .1)
//              in q, .1 N(0, 1) in v. rllab's start has the torso at 0.55 m and the feet under it (the key
//              frame of the file); gym's 0.75 m and all legs straight, outside of the ankles' ranges
// end          the torso's height q[2], in metres, is not within [0.2, 1]
//
// name                 time step      skip  step    u, point, f                         scale  H
// ant_velocity_rllab   0.02 s, RK4    1     0.02 s  centre of mass, end of the step     1      200
// ant_direction_rllab  0.02 s, RK4    1     0.02 s  centre of mass, end of the step     1      200
// ant_goal_rllab       0.02 s, RK4    1     0.02 s  centre of mass, end of the step     1      200
// ant_velocity_gym     0.01 s, RK4    5     0.05 s  torso's origin, as MuJoCo left it   10     100
// ant_direction_gym    0.01 s, RK4    5     0.05 s  torso's origin, as MuJoCo left it   10     100
// ant_goal_gym         0.01 s, RK4    5     0.05 s  torso's origin, as MuJoCo left it   10     100
//
// Centre of mass: of the whole ant; u is its velocity. rllab calls mj_forward after the step, so the rotation
// matrix, the point, u and f are those of q and v. Torso's origin: the point is where MuJoCo computed it
// last, in the last stage of the last Runge-Kutta step, which is near q but not it; the rotation matrix and f
// are of that stage too, and u is the point's way over the step.
//
// f needs mj_rnePostConstraint, which Gym's ants with MuJoCo 2.0 left out: they saw zeros there. With the
// MuJoCo 1.31 and 1.50 of the original results, and with Gym since v4, it is real, as it is here.
//
// Sources: _rllab is maml_rl's ant_env_rand, _rand_direc and _rand_goal, the MAML paper's code, on rllab,
// inside its normalize(); _gym is pytorch-maml-rl's AntVel-v2, AntDir-v2 and AntPos-v1 with the scale and H
// of its configurations. A scale s is a policy whose means and standard deviations are divided by s.
#pragma once

#include <string>
#include <vector>

#include "envs/mujoco_environment.h"

namespace innerloop {

struct AntDef {
  enum class Task { kVelocity, kDirection, kGoal };
  enum class Body { kCentreOfMass, kLaggingTorso };

  std::string name;
  std::string description;
  int64_t horizon = 100;
  Task task = Task::kVelocity;
  double max_velocity = 3;  // goals from U(0, max_velocity), m/s
  double max_goal = 3;      // goals from U(-max_goal, max_goal) along x and y, metres
  std::string model = "ant";
  int frame_skip = 5;  // time steps in one step
  Body body = Body::kLaggingTorso;
  StartNoise noise{.position = 0.1, .velocity = 0.1};
  double action_scale = 10;  // the action that gives the full torque
};

// The variants of the table above.
AntDef ant_velocity_rllab();
AntDef ant_direction_rllab();
AntDef ant_goal_rllab();
AntDef ant_velocity_gym();
AntDef ant_direction_gym();
AntDef ant_goal_gym();

class Ant : public MujocoEnvironment {
 public:
  explicit Ant(const AntDef& def);

  Eigen::VectorXd sample_task(Stream& stream) const override;
  TaskMark task_mark() const override;
  std::vector<Eigen::VectorXd> finite_tasks() const override;
  std::string task_text(const Eigen::VectorXd& task) const override;  // "forward", "1.32 m/s"

 protected:
  StepResult judge(double velocity, double squared_action) const override;

 private:
  void check_task(const Eigen::VectorXd& task) const override;
  void derive() override;
  double place() const override;
  void observe(Eigen::VectorXf& observation) const override;
  double run(double velocity) const;
  const mjtNum* point() const;  // x, y, z

  AntDef def_;
  int torso_;              // number of the body
  Eigen::ArrayXd forces_;  // f
};

}  // namespace innerloop
