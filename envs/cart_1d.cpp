#include "envs/cart_1d.h"

#include <algorithm>
#include <cmath>

namespace innerloop {
namespace {

constexpr double kTimeStep = 0.1, kAcceleration = 4, kFriction = 2, kFarthestGoal = 1, kSuccess = 0.05;

}  // namespace

Cart1dDef cart_1d() {
  return {.name = "cart_1d",
          .description = "cart on a rail, goals U(-1, 1) m, force-controlled: the example to copy"};
}

Cart1d::Cart1d(const Cart1dDef& def)
    : spec_{.name = def.name,
            .description = def.description,
            .observation_size = 2,
            .action_kind = ActionKind::kContinuous,
            .action_size = 1,
            .horizon = def.horizon,
            .task_parameters = {"goal"},
            .observation_names = {"x", "v"},
            .action_names = {"force"},
            .step_seconds = kTimeStep,
            .defines_success = true} {}

Eigen::VectorXd Cart1d::sample_task(Stream& stream) const {
  return Eigen::VectorXd::Constant(1, stream.uniform(-kFarthestGoal, kFarthestGoal));
}

void Cart1d::set_task(const Eigen::VectorXd& task) {
  checks_.set_task(spec_, task);
  goal_ = task[0];
}

void Cart1d::reset(Stream&, ObservationRef observation) {
  checks_.reset(spec_, observation);
  x_ = v_ = 0;
  observation << 0, 0;
}

StepResult Cart1d::step(const ActionRef& action, Stream&, ObservationRef observation) {
  checks_.step(spec_, action, observation);
  v_ += kTimeStep * (kAcceleration * std::clamp<double>(action[0], -1, 1) - kFriction * v_);
  x_ += kTimeStep * v_;
  observation << static_cast<float>(x_), static_cast<float>(v_);
  const double distance = std::abs(x_ - goal_);
  return {.reward = -distance, .success = distance < kSuccess};
}

// The rail's top is at height 0. Success is anywhere above the goal.
PlanarScene Cart1d::scene() const {
  checks_.require_task(spec_, "scene");
  return {.arena = {Eigen::Vector2d(-1.2, -0.1), Eigen::Vector2d(1.2, 0.5)},
          .solid = {make_box({Eigen::Vector2d(-9, -0.03), Eigen::Vector2d(9, 0)})},
          .goal = make_box({Eigen::Vector2d(goal_ - kSuccess, 0), Eigen::Vector2d(goal_ + kSuccess, 0.4)}),
          .view = PlanarScene::View::kFromTheSide};
}

PlanarPose Cart1d::pose() const {
  const Eigen::Vector2d place(x_, 0.12);
  return {place,
          {make_box({place - Eigen::Vector2d(0.13, 0.06), place + Eigen::Vector2d(0.13, 0.06)}),
           make_disc({x_ - 0.08, 0.04}, 0.04), make_disc({x_ + 0.08, 0.04}, 0.04)}};
}

}  // namespace innerloop
