// A pendulum that must be swung up and held, with mass, length and friction drawn per task (Gym's Pendulum-v1
// is the middle of what is drawn), as a Box2D world: a uniform rod on a hinge.
//
// observation  cos(angle), sin(angle), turning (rad/s); the angle is that from upright, to the right
// action       torque to the right in units of 2 N m, clipped to [-1, 1]: too weak to lift most pendulums
// dynamics     Box2D 2.4 in five steps of 0.01 s for an action; gravity 10 m/s^2. Unlike in Gym's Euler steps
//              of 0.05 s, the turning is not cut to 8 rad/s
// reward       -(angle^2 + 0.1 turning^2 + 0.001 torque^2), the angle in [-pi, pi], of the state that the
//              action finds, as in Gym
// task         mass (kg) U(0.5, 1.5); length (m) U(0.7, 1.3); friction (N m) U(0, 0.3): a torque against the
//              motion
// start        angle U(-pi, pi), turning U(-1, 1)
// end          none of its own; H = 200
// success      |angle| < 0.2 and |turning| < 0.5 after the step
#pragma once

#include <memory>
#include <string>

#include "envs/call_checks.h"
#include "envs/environment.h"
#include "envs/planar.h"

class b2Body;
class b2World;

namespace innerloop {

struct PendulumPhysicsDef {
  std::string name;
  std::string description;
  int64_t horizon = 200;
};

PendulumPhysicsDef pendulum_physics();

class PendulumPhysics : public Environment, public Planar {
 public:
  explicit PendulumPhysics(const PendulumPhysicsDef& def);
  ~PendulumPhysics() override;

  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override;
  void set_task(const Eigen::VectorXd& task) override;  // refuses a mass or a length that is none
  void reset(Stream& stream, ObservationRef observation) override;
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override;
  std::string task_text(const Eigen::VectorXd& task) const override;
  PlanarScene scene() const override;
  PlanarPose pose() const override;

 private:
  void build_world(double angle, double turning);
  double angle() const;  // in [-pi, pi]
  double turning() const;
  void observe(ObservationRef observation) const;

  PendulumPhysicsDef def_;
  EnvironmentSpec spec_;
  CallChecks checks_;
  double mass_ = 0, length_ = 0, friction_ = 0;  // of the task
  std::unique_ptr<b2World> world_;               // of the episode; null until the first reset after set_task
  b2Body* rod_ = nullptr;
};

}  // namespace innerloop
