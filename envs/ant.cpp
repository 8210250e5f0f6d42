#include "envs/ant.h"

#include <cmath>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr int kPositions = 15, kVelocities = 14, kMotors = 8, kBodies = 14;  // with the world
constexpr int kForces = 6 * kBodies;
constexpr double kControlCost = 0.005, kContactCost = 0.0005, kSurvival = 0.05;
constexpr double kVelocityBonus = 1, kGoalBonus = 4;  // "make it happy, not suicidal" (maml_rl)
constexpr double kLowest = 0.2, kHighest = 1;         // metres

AntDef rllab(AntDef def) {
  def.horizon = 200;
  def.model = "ant_rllab";
  def.frame_skip = 1;
  def.body = AntDef::Body::kCentreOfMass;
  def.noise = {.position_kind = StartNoise::Kind::kNormal, .position = 0.01, .velocity = 0.1};
  def.action_scale = 1;
  return def;
}

}  // namespace

AntDef ant_velocity_rllab() {
  return rllab({.name = "ant_velocity_rllab",
                .description = "MuJoCo ant, goal velocities U(0, 3) m/s, steps of 0.02 s (MAML paper's code)",
                .task = AntDef::Task::kVelocity});
}

AntDef ant_direction_rllab() {
  return rllab({.name = "ant_direction_rllab",
                .description = "MuJoCo ant, forward or backward, steps of 0.02 s (MAML paper's code)",
                .task = AntDef::Task::kDirection});
}

AntDef ant_goal_rllab() {
  return rllab({.name = "ant_goal_rllab",
                .description = "MuJoCo ant, goals U(-3, 3) m, steps of 0.02 s (MAML paper's code)",
                .task = AntDef::Task::kGoal});
}

AntDef ant_velocity_gym() {
  return {
      .name = "ant_velocity_gym",
      .description = "MuJoCo ant, goal velocities U(0, 3) m/s, steps of 0.05 s, actions over 10 (Gym port)",
      .task = AntDef::Task::kVelocity};
}

AntDef ant_direction_gym() {
  return {.name = "ant_direction_gym",
          .description = "MuJoCo ant, forward or backward, steps of 0.05 s, actions over 10 (Gym port)",
          .task = AntDef::Task::kDirection};
}

AntDef ant_goal_gym() {
  return {.name = "ant_goal_gym",
          .description = "MuJoCo ant, goals U(-3, 3) m, steps of 0.05 s, actions over 10 (Gym port)",
          .task = AntDef::Task::kGoal};
}

Ant::Ant(const AntDef& def)
    : MujocoEnvironment(mujoco_model(def.model), def.frame_skip, def.action_scale, def.noise),
      def_(def),
      torso_(mj_name2id(&model(), mjOBJ_BODY, "torso")),
      forces_(Eigen::ArrayXd::Zero(kForces)) {
  require(model().nq == kPositions && model().nv == kVelocities && model().nu == kMotors &&
              model().nbody == kBodies && torso_ > 0,
          def.name, ": the model '", def.model, "' has ", model().nq, " positions, ", model().nu, " motors, ",
          model().nbody, " bodies, expected 15, 8 and 14, one of them a 'torso'");
  spec_.name = def.name;
  spec_.description = def.description;
  spec_.observation_size = kPositions + kVelocities + kForces + 9 + 3;
  spec_.horizon = def.horizon;
  spec_.task_parameters = def.task == AntDef::Task::kVelocity ? std::vector<std::string>{"velocity"}
                          : def.task == AntDef::Task::kDirection
                              ? std::vector<std::string>{"direction"}
                              : std::vector<std::string>{"goal_x", "goal_y"};
}

Eigen::VectorXd Ant::sample_task(Stream& stream) const {
  if (def_.task == AntDef::Task::kVelocity)
    return Eigen::VectorXd::Constant(1, stream.uniform(0, def_.max_velocity));
  if (def_.task == AntDef::Task::kDirection)
    return Eigen::VectorXd::Constant(1, stream.below(2) == 0 ? -1 : 1);
  Eigen::VectorXd goal(2);
  for (double& entry : goal) entry = stream.uniform(-def_.max_goal, def_.max_goal);
  return goal;
}

void Ant::check_task(const Eigen::VectorXd& task) const {
  if (def_.task == AntDef::Task::kDirection) require_direction(task[0]);
}

std::vector<Eigen::VectorXd> Ant::finite_tasks() const {
  if (def_.task == AntDef::Task::kDirection) return both_directions();
  return {};
}

std::string Ant::task_text(const Eigen::VectorXd& task) const {
  if (def_.task == AntDef::Task::kGoal)
    return "goal (" + two_digits(task[0]) + ", " + two_digits(task[1]) + ") m";
  if (def_.task == AntDef::Task::kDirection) return direction_text(task[0]);
  return two_digits(task[0]) + " m/s";
}

TaskMark Ant::task_mark() const {
  using Kind = TaskMark::Kind;
  if (def_.task == AntDef::Task::kGoal) return {Kind::kGoal, task().head<2>()};
  return {def_.task == AntDef::Task::kVelocity ? Kind::kVelocity : Kind::kDirection, {task()[0], 0}};
}

void Ant::derive() {
  if (def_.body == AntDef::Body::kCentreOfMass) {
    forward();
    mj_subtreeVel(&model(), &data());
  }
  mj_rnePostConstraint(&model(), &data());
  forces_ = Eigen::Map<const Eigen::ArrayXd>(data().cfrc_ext, kForces).max(-1).min(1);
}

const mjtNum* Ant::point() const {
  return (def_.body == AntDef::Body::kCentreOfMass ? data().subtree_com : data().xpos) + 3 * torso_;
}

double Ant::place() const { return point()[0]; }

StepResult Ant::judge(double velocity, double squared_action) const {
  const bool whole = def_.body == AntDef::Body::kCentreOfMass;
  const double cost = kControlCost * squared_action + kContactCost * forces_.square().sum();
  const double height = data().qpos[2];
  return {.reward = run(whole ? data().subtree_linvel[3 * torso_] : velocity) - cost + kSurvival,
          .terminated = height < kLowest || height > kHighest};
}

double Ant::run(double velocity) const {
  if (def_.task == AntDef::Task::kVelocity) return kVelocityBonus - std::abs(velocity - task()[0]);
  if (def_.task == AntDef::Task::kDirection) return task()[0] * velocity;
  return kGoalBonus - std::abs(point()[0] - task()[0]) - std::abs(point()[1] - task()[1]);
}

void Ant::observe(Eigen::VectorXf& observation) const {
  using Values = Eigen::Map<const Eigen::VectorXd>;
  observation << Values(data().qpos, kPositions).cast<float>(),
      Values(data().qvel, kVelocities).cast<float>(), forces_.matrix().cast<float>(),
      Values(data().xmat + 9 * torso_, 9).cast<float>(), Values(point(), 3).cast<float>();
}

}  // namespace innerloop
