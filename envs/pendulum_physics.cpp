#include "envs/pendulum_physics.h"

#include <box2d/box2d.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "envs/rod.h"

namespace innerloop {
namespace {

constexpr double kTorque = 2, kPendulumGravity = 10;  // N m, m/s^2
constexpr double kPendulumTimeStep = 0.05;            // s, of one action
constexpr int kPendulumSubsteps = 5;
constexpr double kUpright = 0.2, kStill = 0.5;  // radians, rad/s: success

}  // namespace

PendulumPhysicsDef pendulum_physics() {
  return {.name = "pendulum_physics",
          .description = "pendulum in Box2D to swing up and hold, mass, length and friction drawn per task"};
}

PendulumPhysics::PendulumPhysics(const PendulumPhysicsDef& def)
    : def_(def),
      spec_{.name = def.name,
            .description = def.description,
            .observation_size = 3,
            .action_kind = ActionKind::kContinuous,
            .action_size = 1,
            .horizon = def.horizon,
            .task_parameters = {"mass", "length", "friction"},
            .observation_names = {"cos", "sin", "turning"},
            .action_names = {"torque"},
            .step_seconds = kPendulumTimeStep,
            .defines_success = true} {}

PendulumPhysics::~PendulumPhysics() = default;

Eigen::VectorXd PendulumPhysics::sample_task(Stream& stream) const {
  Eigen::Vector3d task;
  task[0] = stream.uniform(0.5, 1.5);
  task[1] = stream.uniform(0.7, 1.3);
  task[2] = stream.uniform(0, 0.3);
  return task;
}

void PendulumPhysics::set_task(const Eigen::VectorXd& task) {
  CallChecks::check_task(spec_, task);
  require(task[0] > 0 && task[1] > 0 && task[2] >= 0, spec_.name, ": mass is ", task[0], ", length ", task[1],
          ", friction ", task[2], ", expected numbers above 0, above 0 and from 0 on");
  checks_.set_task(spec_, task);
  mass_ = task[0];
  length_ = task[1];
  friction_ = task[2];
  rod_ = nullptr;
  world_.reset();
}

// A world of its own for every episode, as for the cart and its pole.
void PendulumPhysics::build_world(double angle, double turning) {
  world_ = std::make_unique<b2World>(b2Vec2(0, static_cast<float>(-kPendulumGravity)));
  world_->SetAllowSleeping(false);
  const b2BodyDef fixed;
  b2RevoluteJointDef hinge;
  hinge.bodyA = world_->CreateBody(&fixed);
  rod_ = add_rod(*world_, {.mass = mass_, .length = length_, .angle = angle, .angular_velocity = turning});
  hinge.bodyB = rod_;
  hinge.enableMotor = true;  // a motor that wants to stand still is dry friction
  hinge.motorSpeed = 0;
  hinge.maxMotorTorque = static_cast<float>(friction_);
  world_->CreateJoint(&hinge);
}

void PendulumPhysics::reset(Stream& stream, ObservationRef observation) {
  checks_.reset(spec_, observation);
  const double angle = stream.uniform(-std::numbers::pi, std::numbers::pi);
  build_world(angle, stream.uniform(-1, 1));
  observe(observation);
}

StepResult PendulumPhysics::step(const ActionRef& action, Stream&, ObservationRef observation) {
  checks_.step(spec_, action, observation);
  constexpr int kVelocityIterations = 10, kPositionIterations = 5;
  const double torque = kTorque * std::clamp<double>(action[0], -1, 1);
  const double cost = angle() * angle() + 0.1 * turning() * turning() + 0.001 * torque * torque;
  for (int k = 0; k < kPendulumSubsteps; ++k) {
    rod_->ApplyTorque(static_cast<float>(-torque), true);  // Box2D turns counter-clockwise
    world_->Step(static_cast<float>(kPendulumTimeStep / kPendulumSubsteps), kVelocityIterations,
                 kPositionIterations);
  }
  observe(observation);
  return {.reward = -cost, .success = std::abs(angle()) < kUpright && std::abs(turning()) < kStill};
}

double PendulumPhysics::angle() const { return std::remainder(rod_angle(*rod_), 2 * std::numbers::pi); }

double PendulumPhysics::turning() const { return rod_angular_velocity(*rod_); }

void PendulumPhysics::observe(ObservationRef observation) const {
  observation << static_cast<float>(std::cos(angle())), static_cast<float>(std::sin(angle())),
      static_cast<float>(turning());
}

std::string PendulumPhysics::task_text(const Eigen::VectorXd& task) const {
  return concat(two_digits(task[0]), " kg, ", two_digits(task[1]), " m, friction ", two_digits(task[2]),
                " N m");
}

PlanarScene PendulumPhysics::scene() const {
  checks_.require_task(spec_, "scene");
  const Eigen::Vector2d corner(1.4, 1.4);
  return {.arena = {-corner, corner}, .goal = make_disc({0, length_}, length_ * kUpright)};
}

PlanarPose PendulumPhysics::pose() const {
  const Eigen::Vector2d tip = length_ * Eigen::Vector2d(std::sin(angle()), std::cos(angle()));
  return {tip, {{{Eigen::Vector2d::Zero(), tip}, 0.04}, make_disc({0, 0}, 0.06)}};
}

}  // namespace innerloop
