#include "envs/cart_pole_physics.h"

#include <box2d/box2d.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "envs/rod.h"

namespace innerloop {
namespace {

constexpr double kForce = 10;                                         // N
constexpr double kPoleTimeStep = 0.02;                                // s, of one action
constexpr int kSubsteps = 2;                                          // of Box2D
constexpr double kRail = 2.4, kFallen = 12 * std::numbers::pi / 180;  // m, radians
constexpr double kCartHalfWidth = 0.25, kCartHalfHeight = 0.12;       // m, drawn alone

struct Range {
  const char* name;
  double low, high;
};
constexpr Range kCartPoleTask[] = {{"cart_mass", 0.5, 2},
                                   {"pole_mass", 0.05, 0.5},
                                   {"pole_length", 0.5, 2},
                                   {"gravity", 5, 15},
                                   {"friction", 0, 0.2}};
constexpr int kFriction = 4;

}  // namespace

CartPolePhysicsDef cart_pole_physics() {
  return {.name = "cart_pole_physics",
          .description = "pole on a cart in Box2D, masses, length, gravity and friction drawn per task"};
}

CartPolePhysics::CartPolePhysics(const CartPolePhysicsDef& def) : def_(def) {
  spec_.name = def.name;
  spec_.description = def.description;
  spec_.observation_size = 4;
  spec_.action_kind = ActionKind::kDiscrete;
  spec_.action_size = 2;
  spec_.horizon = def.horizon;
  for (const auto& range : kCartPoleTask) spec_.task_parameters.emplace_back(range.name);
  spec_.observation_names = {"x", "v", "angle", "turning"};
  spec_.action_names = {"push"};
  spec_.step_seconds = kPoleTimeStep;
}

CartPolePhysics::~CartPolePhysics() = default;

Eigen::VectorXd CartPolePhysics::sample_task(Stream& stream) const {
  Eigen::VectorXd task(spec_.task_size());
  for (Eigen::Index k = 0; k < task.size(); ++k)
    task[k] = stream.uniform(kCartPoleTask[k].low, kCartPoleTask[k].high);
  return task;
}

void CartPolePhysics::set_task(const Eigen::VectorXd& task) {
  CallChecks::check_task(spec_, task);
  for (Eigen::Index k = 0; k < task.size(); ++k) {
    require(task[k] > 0 || (k == kFriction && task[k] == 0), spec_.name, ": ", kCartPoleTask[k].name, " is ",
            task[k], ", expected a number ", k == kFriction ? "from 0 on" : "above 0");
  }
  checks_.set_task(spec_, task);
  cart_mass_ = task[0];
  pole_mass_ = task[1];
  pole_length_ = task[2];
  gravity_ = task[3];
  friction_ = task[kFriction];
  cart_ = pole_ = nullptr;
  world_.reset();
}

// A world of its own for every episode: no impulse of an earlier one warms up a joint's solver.
void CartPolePhysics::build_world(const Eigen::Vector4d& start) {
  world_ = std::make_unique<b2World>(b2Vec2(0, static_cast<float>(-gravity_)));
  world_->SetAllowSleeping(false);
  const b2BodyDef fixed;
  b2Body* const rail = world_->CreateBody(&fixed);

  b2BodyDef body;
  body.type = b2_dynamicBody;
  body.position.Set(static_cast<float>(start[0]), 0);
  cart_ = world_->CreateBody(&body);
  b2MassData mass;
  mass.mass = static_cast<float>(cart_mass_);
  mass.center.SetZero();
  mass.I = mass.mass;  // the rail lets it not turn
  cart_->SetMassData(&mass);
  cart_->SetLinearVelocity(b2Vec2(static_cast<float>(start[1]), 0));
  pole_ = add_rod(*world_, {.mass = pole_mass_,
                            .length = pole_length_,
                            .pivot_x = start[0],
                            .pivot_velocity = start[1],
                            .angle = start[2],
                            .angular_velocity = start[3]});

  b2PrismaticJointDef slide;
  slide.Initialize(rail, cart_, b2Vec2(0, 0), b2Vec2(1, 0));
  slide.enableMotor = true;  // a motor that wants to stand still is dry friction
  slide.motorSpeed = 0;
  slide.maxMotorForce = static_cast<float>(friction_ * gravity_ * (cart_mass_ + pole_mass_));
  world_->CreateJoint(&slide);
  b2RevoluteJointDef hinge;
  hinge.bodyA = cart_;
  hinge.bodyB = pole_;
  hinge.localAnchorA.SetZero();
  hinge.localAnchorB.SetZero();
  world_->CreateJoint(&hinge);
}

void CartPolePhysics::reset(Stream& stream, ObservationRef observation) {
  checks_.reset(spec_, observation);
  Eigen::Vector4d start;
  for (double& entry : start) entry = stream.uniform(-def_.start_range, def_.start_range);
  build_world(start);
  observe(observation);
}

StepResult CartPolePhysics::step(const ActionRef& action, Stream&, ObservationRef observation) {
  checks_.step(spec_, action, observation);
  constexpr int kVelocityIterations = 30, kPositionIterations = 10;  // light pole, heavy cart: stiff joints
  const auto force = static_cast<float>(action[0] == 1 ? kForce : -kForce);
  for (int k = 0; k < kSubsteps; ++k) {
    cart_->ApplyForceToCenter(b2Vec2(force, 0), true);
    world_->Step(static_cast<float>(kPoleTimeStep / kSubsteps), kVelocityIterations, kPositionIterations);
  }
  observe(observation);
  return {.reward = 1, .terminated = std::abs(observation[0]) > kRail || std::abs(observation[2]) > kFallen};
}

void CartPolePhysics::observe(ObservationRef observation) const {
  observation << cart_->GetPosition().x, cart_->GetLinearVelocity().x, static_cast<float>(rod_angle(*pole_)),
      static_cast<float>(rod_angular_velocity(*pole_));
}

std::string CartPolePhysics::task_text(const Eigen::VectorXd& task) const {
  return concat("cart ", two_digits(task[0]), " kg, pole ", two_digits(task[1]), " kg ", two_digits(task[2]),
                " m, gravity ", two_digits(task[3]), ", friction ", two_digits(task[kFriction]));
}

PlanarScene CartPolePhysics::scene() const {
  checks_.require_task(spec_, "scene");
  return {.arena = {Eigen::Vector2d(-kRail - 0.3, -0.3), Eigen::Vector2d(kRail + 0.3, 2.2)},
          .solid = {make_box({Eigen::Vector2d(-kRail - 0.25, -kCartHalfHeight - 0.05),
                              Eigen::Vector2d(kRail + 0.25, -kCartHalfHeight)})},
          .view = PlanarScene::View::kFromTheSide};
}

PlanarPose CartPolePhysics::pose() const {
  const Eigen::Vector2d place(cart_->GetPosition().x, 0), half(kCartHalfWidth, kCartHalfHeight);
  const double angle = rod_angle(*pole_);
  const Eigen::Vector2d tip = place + pole_length_ * Eigen::Vector2d(std::sin(angle), std::cos(angle));
  return {place, {make_box({place - half, place + half}), {{place, tip}, 0.03}, make_disc(place, 0.05)}};
}

}  // namespace innerloop
