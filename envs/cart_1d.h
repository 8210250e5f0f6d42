// A cart on a rail that must come to a place it is not shown, and stay there: the smallest environment, to be
// copied (docs/adding_an_environment.md).
//
// observation  position x (m) and velocity v (m/s) of the cart, which starts at rest at 0
// action       acceleration by the motor in units of 4 m/s^2, clipped to [-1, 1]
// dynamics     v' = v + dt (4 a - 2 v), x' = x + dt v', with dt = 0.1 s; the 2 v is friction
// reward       -|x' - goal|
// task         goal ~ U(-1, 1) m
// end          none of its own; H = 40
// success      |x' - goal| < 0.05
#pragma once

#include "envs/call_checks.h"
#include "envs/environment.h"
#include "envs/planar.h"

namespace innerloop {

struct Cart1dDef {
  std::string name;
  std::string description;
  int64_t horizon = 40;
};

Cart1dDef cart_1d();

class Cart1d : public Environment, public Planar {
 public:
  explicit Cart1d(const Cart1dDef& def);

  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override;
  void set_task(const Eigen::VectorXd& task) override;
  void reset(Stream& stream, ObservationRef observation) override;
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override;
  PlanarScene scene() const override;  // for films; without Planar they show the numbers over time
  PlanarPose pose() const override;

 private:
  EnvironmentSpec spec_;
  CallChecks checks_;
  double goal_ = 0, x_ = 0, v_ = 0;
};

}  // namespace innerloop
