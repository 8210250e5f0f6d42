// The planar half-cheetah that must run at a velocity, or in a direction, that it is not shown (Finn et al.
// 2017, section 5.3), in MuJoCo (assets/half_cheetah.xml: 7 bodies, 9 degrees of freedom, 6 motors, 0.01 s a
// time step).
//
// observation  q[1..8], v[0..8], with q the positions and v the velocities of rootx, rootz (metres), rooty,
//              bthigh, bshin, bfoot, fthigh, fshin, ffoot (radians): 17 numbers; then, where the table says
//              so, a point (x, y, z): the whole animal's centre of mass, or the origin of the torso's frame
// action       torques of bthigh, bshin, bfoot, fthigh, fshin, ffoot in units of their gears (120, 90, 60,
//              120, 60, 30 N m) times the scale: a = clip(action / scale, -1, 1); environment.action_scale
//              of the configuration replaces the scale
// reward       run - 0.05 |a|^2; run = -|u - velocity| or direction * u, with u the velocity along x
// task         velocity (m/s), uniform; or direction, -1 or +1 with probability 1/2
// start        MuJoCo's initial state plus noise in every entry of q and v; N is N(0, 1)
// end          none of its own (but see envs/mujoco_environment.h for a simulation that diverges)
//
// name                         task    skip u              point  start q, v       scale H
// half_cheetah_velocity_rllab  U(0, 2) 1    centre of mass centre .01 N, .1 N      1     200
// half_cheetah_direction_rllab +-1     1    centre of mass centre .01 N, .1 N      1     200
// half_cheetah_velocity_gym    U(0, 2) 5    difference     torso  U(-.1, .1), .1 N 1     200
// half_cheetah_direction_gym   +-1     5    difference     torso  U(-.1, .1), .1 N 1     200
// half_cheetah_velocity_promp  U(0, 3) 5    difference     none   U(-.1, .1), .1 N 10    100
//
// A step is `skip` (frame skip) time steps: 0.01 s with 1, 0.05 s with 5, so returns with 1 and with 5 do not
// compare. u, centre of mass: its velocity at the end of the step. u, difference: (x' - x) / seconds of the
// step, with x of rootx. The centre is that of the end of the step (rllab calls mj_forward there). The
// torso's point is the one MuJoCo computed at the start of the step's last time step, so it lags q by 0.01 s,
// as in Gym; after a reset it does not.
//
// Sources: _rllab is maml_rl's half_cheetah_env_rand and _rand_direc, the MAML paper's code, on rllab, inside
// its normalize(); _gym is the Gym port of CAVIA (scale 1, H 200), which pytorch-maml-rl plays with scale 10
// and H 100; _promp is ProMP's HalfCheetahRandVelEnv inside its normalize(), which has scale 10. A scale s is
// a policy whose means and standard deviations are divided by s.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "envs/mujoco_environment.h"

namespace innerloop {

struct HalfCheetahDef {
  enum class Task { kVelocity, kDirection };
  enum class Velocity { kCentreOfMass, kRootDifference };
  enum class Point { kCentreOfMass, kLaggingTorso, kNone };

  std::string name;
  std::string description;
  int64_t horizon = 200;
  Task task = Task::kVelocity;
  double max_velocity = 2;  // goals from U(0, max_velocity), m/s
  int frame_skip = 5;       // time steps of 0.01 s in one step
  Velocity velocity = Velocity::kRootDifference;
  Point point = Point::kLaggingTorso;
  StartNoise noise{.position = 0.1, .velocity = 0.1};
  double action_scale = 1;  // the action that gives the full torque
  std::string model = "half_cheetah";
};

// The variants of the table above.
HalfCheetahDef half_cheetah_velocity_rllab();
HalfCheetahDef half_cheetah_direction_rllab();
HalfCheetahDef half_cheetah_velocity_gym();
HalfCheetahDef half_cheetah_direction_gym();
HalfCheetahDef half_cheetah_velocity_promp();

class HalfCheetah : public MujocoEnvironment {
 public:
  static constexpr int kBodies = 7;

  explicit HalfCheetah(const HalfCheetahDef& def);

  Eigen::VectorXd sample_task(Stream& stream) const override;
  TaskMark task_mark() const override;
  std::vector<Eigen::VectorXd> finite_tasks() const override;
  std::string task_text(const Eigen::VectorXd& task) const override;  // "forward", "1.32 m/s"
  std::unique_ptr<Environment> companion() const override { return std::make_unique<HalfCheetah>(*this); }

 private:
  // A body of the plane (x, z): where its joint is in its parent's frame, and its own centre in its own.
  struct Segment {
    int parent = -1;  // number of the segment; -1 for the torso
    double mass_share = 0;
    Eigen::Vector2d joint, centre;
  };

  void check_task(const Eigen::VectorXd& task) const override;
  // The centre of mass and its velocity, of q and v as they are now, in about 0.2 microseconds; MuJoCo's own
  // functions take about 1.5, beside 5 for a time step, since they compute much else. A test holds it against
  // MuJoCo's kinematics.
  void derive() override;
  StepResult judge(double velocity, double squared_action) const override;
  void observe(Eigen::VectorXf& observation) const override;

  HalfCheetahDef def_;
  int torso_;                              // number of the body
  std::array<Segment, kBodies> segments_;  // in the model's order, which is that of the joints
  bool needs_centre_ = false;
  Eigen::Vector2d centre_, centre_velocity_;  // (x, z) of the whole animal
};

}  // namespace innerloop
