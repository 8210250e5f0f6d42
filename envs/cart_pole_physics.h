// A pole on a cart that must not fall, with masses, length, gravity and friction drawn per task (Barto,
// Sutton and Anderson 1983, with the constants of Gym's CartPole-v0 as the middle of what is drawn), as a
// Box2D world: a cart on a rail (a prismatic joint) and a uniform rod that turns about it (a revolute joint).
//
// observation  x (m), v (m/s) of the cart; angle (radians from upright, to the right) and its change (rad/s)
//              of the pole
// action       0 pushes the cart to the left, 1 to the right, by 10 N for one time step
// dynamics     Box2D 2.4 in two steps of 0.01 s for an action. Gym integrates the same equations of motion
//              by an Euler step of 0.02 s
// reward       1 for every step, that of the fall among them
// task         cart_mass (kg) U(0.5, 2); pole_mass (kg) U(0.05, 0.5); pole_length (m) U(0.5, 2), the whole
//              rod (Gym's `length` is its half); gravity (m/s^2) U(5, 15); friction U(0, 0.2), of the cart on
//              the rail: a force against its motion of up to friction * gravity * (both masses)
// start        all four numbers of the observation U(-0.05, 0.05)
// end          |x| > 2.4 or |angle| > 12 degrees; H = 200
// success      none: the return says it all
//
// One robust policy balances every one of these tasks (200 steps after a dozen meta-iterations of
// configs/cart_pole_physics.ini, before adaptation as after it): what is meta-learned here is robustness.
#pragma once

#include <memory>
#include <string>

#include "envs/call_checks.h"
#include "envs/environment.h"
#include "envs/planar.h"

class b2Body;
class b2World;

namespace innerloop {

struct CartPolePhysicsDef {
  std::string name;
  std::string description;
  int64_t horizon = 200;
  double start_range = 0.05;
};

CartPolePhysicsDef cart_pole_physics();

class CartPolePhysics : public Environment, public Planar {
 public:
  explicit CartPolePhysics(const CartPolePhysicsDef& def);
  ~CartPolePhysics() override;

  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override;
  void set_task(const Eigen::VectorXd& task) override;  // refuses masses, lengths and so on that are none
  void reset(Stream& stream, ObservationRef observation) override;
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override;
  std::string task_text(const Eigen::VectorXd& task) const override;
  PlanarScene scene() const override;
  PlanarPose pose() const override;

 private:
  void build_world(const Eigen::Vector4d& start);
  void observe(ObservationRef observation) const;

  CartPolePhysicsDef def_;
  EnvironmentSpec spec_;
  CallChecks checks_;
  double cart_mass_ = 0, pole_mass_ = 0, pole_length_ = 0, gravity_ = 0, friction_ = 0;  // of the task
  std::unique_ptr<b2World> world_;  // of the episode; null until the first reset after set_task
  b2Body *cart_ = nullptr, *pole_ = nullptr;
};

}  // namespace innerloop
