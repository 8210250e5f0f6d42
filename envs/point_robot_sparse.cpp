#include "envs/point_robot_sparse.h"

#include <cmath>
#include <numbers>

#include "base/row.h"

namespace innerloop {
namespace {

constexpr double kMaxMove = 0.1, kCircle = 1, kBody = 0.03;  // metres

}  // namespace

PointRobotSparseDef point_robot_sparse() {
  return {
      .name = "point_robot_sparse",
      .description = "point robot, goals on a half circle that pay from near by, dense outer reward (PEARL)"};
}

const std::vector<Key>& own_keys(const PointRobotSparseDef&) {
  using Def = PointRobotSparseDef;
  static constexpr keys::Interval kRadius{0, 10, true, false, "a number above 0 and at most 10"};
  static const std::vector<Key> list{
      keys::number("goal_radius", &Def::goal_radius, kRadius, "metres from the goal where it pays"),
      keys::spelled<Def, Def::Training>(
          "training_reward", &Def::training,
          {{"dense", Def::Training::kDense}, {"sparse", Def::Training::kSparse}},
          "what the outer loss of training reads")};
  return list;
}

PointRobotSparse::PointRobotSparse(const PointRobotSparseDef& def)
    : def_(def),
      spec_{.name = def.name,
            .description = def.description,
            .observation_size = 2,
            .action_kind = ActionKind::kContinuous,
            .action_size = 2,
            .horizon = def.horizon,
            .task_parameters = {"goal_x", "goal_y"},
            .observation_names = {"x", "y"},
            .action_names = {"dx", "dy"},
            .step_seconds = 0.125,
            .defines_success = true} {}

Eigen::VectorXd PointRobotSparse::sample_task(Stream& stream) const {
  const double angle = stream.uniform(0, std::numbers::pi);
  return Eigen::Vector2d(kCircle * std::cos(angle), kCircle * std::sin(angle));
}

void PointRobotSparse::set_task(const Eigen::VectorXd& task) {
  checks_.set_task(spec_, task);
  goal_ = task;
}

void PointRobotSparse::reset(Stream&, ObservationRef observation) {
  checks_.reset(spec_, observation);
  position_.setZero();
  observation.setZero();
}

StepResult PointRobotSparse::step(const ActionRef& action, Stream&, ObservationRef observation) {
  checks_.step(spec_, action, observation);
  position_ += kMaxMove * action.cast<double>().cwiseMax(-1).cwiseMin(1);
  observation = position_.cast<float>();
  return {.reward = sparse(), .success = distance() <= def_.goal_radius};
}

double PointRobotSparse::sparse() const { return distance() <= def_.goal_radius ? 1 - distance() : 0; }

double PointRobotSparse::training_reward() const {
  return def_.training == PointRobotSparseDef::Training::kDense ? -distance() : sparse();
}

std::string PointRobotSparse::task_text(const Eigen::VectorXd& task) const {
  return "goal (" + two_digits(task[0]) + ", " + two_digits(task[1]) + ")";
}

PlanarScene PointRobotSparse::scene() const {
  checks_.require_task(spec_, "scene");
  PlanarScene scene{.arena = {Eigen::Vector2d(-1.3, -0.3), Eigen::Vector2d(1.3, 1.3)},
                    .goal = make_disc(goal_, def_.goal_radius)};
  constexpr int kDots = 24;  // the half circle, as far as it can be said by goals
  for (int k = 0; k <= kDots; ++k) {
    const double angle = std::numbers::pi * k / kDots;
    scene.other_goals.push_back(make_disc({kCircle * std::cos(angle), kCircle * std::sin(angle)}, 0.01));
  }
  return scene;
}

PlanarPose PointRobotSparse::pose() const { return {position_, {make_disc(position_, kBody)}}; }

}  // namespace innerloop
