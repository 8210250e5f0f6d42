#include "envs/humanoid.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr int kHumanoidPositions = 24, kHumanoidVelocities = 23, kHumanoidMotors = 17, kHumanoidBodies = 14;
constexpr int kHumanoidFrameSkip = 5;
constexpr double kForward = 0.25, kEffort = 0.016, kImpact = 5e-7, kMostImpact = 10, kAlive = 5;
constexpr double kFallenBelow = 1, kLiftedAbove = 2;  // metres

}  // namespace

HumanoidDef humanoid_direction() {
  return {.name = "humanoid_direction",
          .description = "MuJoCo humanoid, forward or backward, steps of 0.015 s, actions over 10 (ProMP)"};
}

HumanoidDef humanoid_direction_2d() {
  return {
      .name = "humanoid_direction_2d",
      .description = "MuJoCo humanoid, any direction in the plane, steps of 0.015 s, actions over 10 (ProMP)",
      .in_the_plane = true};
}

Humanoid::Humanoid(const HumanoidDef& def)
    : MujocoEnvironment(mujoco_model("humanoid"), kHumanoidFrameSkip, def.action_scale, def.noise),
      def_(def) {
  require(model().nq == kHumanoidPositions && model().nv == kHumanoidVelocities &&
              model().nu == kHumanoidMotors && model().nbody == kHumanoidBodies,
          def.name, ": the model 'humanoid' has ", model().nq, " positions, ", model().nu, " motors, ",
          model().nbody, " bodies, expected 24, 17 and 14");
  spec_.name = def.name;
  spec_.description = def.description;
  spec_.observation_size = kHumanoidPositions - 2 + 2 * kHumanoidVelocities + (10 + 6 + 6) * kHumanoidBodies;
  spec_.horizon = def.horizon;
  spec_.task_parameters = def.in_the_plane ? std::vector<std::string>{"direction_x", "direction_y"}
                                           : std::vector<std::string>{"direction"};
  for (int b = 0; b < model().nbody; ++b) total_mass_ += model().body_mass[b];
}

Eigen::VectorXd Humanoid::sample_task(Stream& stream) const {
  if (!def_.in_the_plane) return Eigen::VectorXd::Constant(1, stream.below(2) == 0 ? -1 : 1);
  const double angle = stream.uniform(-std::numbers::pi, std::numbers::pi);
  return Eigen::Vector2d(std::cos(angle), std::sin(angle));
}

void Humanoid::check_task(const Eigen::VectorXd& task) const {
  if (!def_.in_the_plane) return require_direction(task[0]);
  require(std::abs(task.norm() - 1) < 1e-6, spec_.name, ": direction (", task.transpose(), ") has length ",
          task.norm(), ", expected 1");
}

std::vector<Eigen::VectorXd> Humanoid::finite_tasks() const {
  if (def_.in_the_plane) return {};
  return both_directions();
}

std::string Humanoid::task_text(const Eigen::VectorXd& task) const {
  if (!def_.in_the_plane) return direction_text(task[0]);
  return "direction (" + two_digits(task[0]) + ", " + two_digits(task[1]) + ")";
}

Eigen::Vector2d Humanoid::direction() const { return {task()[0], def_.in_the_plane ? task()[1] : 0}; }

TaskMark Humanoid::task_mark() const { return {TaskMark::Kind::kDirection, direction()}; }

void Humanoid::derive() {
  centre_.setZero();
  for (int b = 1; b < kHumanoidBodies; ++b)
    centre_ += model().body_mass[b] / total_mass_ * Eigen::Map<const Eigen::Vector2d>(data().xipos + 3 * b);
  mj_rnePostConstraint(&model(), &data());
}

StepResult Humanoid::judge(double velocity, double squared_action) const {
  const double forces = Eigen::Map<const Eigen::ArrayXd>(data().cfrc_ext, 6 * kHumanoidBodies).square().sum();
  const double height = data().qpos[2];
  return {.reward = kForward * kHumanoidFrameSkip * velocity - kEffort * squared_action -
                    std::min(kMostImpact, kImpact * forces) + kAlive,
          .terminated = height < kFallenBelow || height > kLiftedAbove};
}

void Humanoid::observe(Eigen::VectorXf& observation) const {
  using Values = Eigen::Map<const Eigen::VectorXd>;
  observation << Values(data().qpos + 2, kHumanoidPositions - 2).cast<float>(),
      Values(data().qvel, kHumanoidVelocities).cast<float>(),
      Values(data().cinert, 10 * kHumanoidBodies).cast<float>(),
      Values(data().cvel, 6 * kHumanoidBodies).cast<float>(),
      Values(data().qfrc_actuator, kHumanoidVelocities).cast<float>(),
      Values(data().cfrc_ext, 6 * kHumanoidBodies).cast<float>();
}

}  // namespace innerloop
