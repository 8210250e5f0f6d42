#include "envs/planar_walker.h"

#include <cmath>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr double kSurvival = 1, kControlCost = 0.001;
constexpr double kFastest = 10;     // of an observed velocity, m/s or rad/s
constexpr double kUnhealthy = 100;  // of any entry of the state

ModelMultipliers own_model(const PlanarWalkerDef& def) {
  ModelMultipliers multipliers(mujoco_model(def.model));
  multipliers.model()->opt.timestep = def.time_step;
  return multipliers;
}

}  // namespace

PlanarWalkerDef hopper_rand_params() {
  return {.name = "hopper_rand_params",
          .description = "MuJoCo hopper with masses, inertias, frictions and dampings drawn per task (PEARL)",
          .model = "hopper",
          .lowest = 0.7,
          .lean = 0.2};
}

PlanarWalkerDef walker2d_rand_params() {
  return {.name = "walker2d_rand_params",
          .description = "MuJoCo walker with masses, inertias, frictions and dampings drawn per task (PEARL)",
          .model = "walker2d",
          .time_step = 0.004,
          .lowest = 0.8,
          .highest = 2,
          .lean = 1};
}

PlanarWalker::PlanarWalker(const PlanarWalkerDef& def) : PlanarWalker(def, own_model(def)) {}

PlanarWalker::PlanarWalker(const PlanarWalkerDef& def, ModelMultipliers multipliers)
    : MujocoEnvironment(multipliers.model(), def.frame_skip, def.action_scale, def.noise),
      def_(def),
      multipliers_(std::move(multipliers)) {
  spec_.name = def.name;
  spec_.description = def.description;
  spec_.observation_size = model().nq - 1 + model().nv;
  spec_.horizon = def.horizon;
  spec_.task_parameters = multipliers_.names();
}

void PlanarWalker::check_task(const Eigen::VectorXd& task) const {
  for (Eigen::Index k = 0; k < task.size(); ++k) {
    require(task[k] > 0, spec_.name, ": multiplier ", spec_.task_parameters[static_cast<size_t>(k)], " is ",
            task[k], ", expected a number above 0");
  }
}

StepResult PlanarWalker::judge(double velocity, double squared_action) const {
  using Values = Eigen::Map<const Eigen::ArrayXd>;
  const double height = data().qpos[1], lean = data().qpos[2];
  const bool healthy = height > def_.lowest && height < def_.highest && std::abs(lean) < def_.lean &&
                       (Values(data().qpos + 2, model().nq - 2).abs() < kUnhealthy).all() &&
                       (Values(data().qvel, model().nv).abs() < kUnhealthy).all();
  return {.reward = velocity + kSurvival - kControlCost * squared_action, .terminated = !healthy};
}

void PlanarWalker::observe(Eigen::VectorXf& observation) const {
  using Values = Eigen::Map<const Eigen::ArrayXd>;
  observation.head(model().nq - 1) = Values(data().qpos + 1, model().nq - 1).matrix().cast<float>();
  observation.tail(model().nv) =
      Values(data().qvel, model().nv).max(-kFastest).min(kFastest).matrix().cast<float>();
}

}  // namespace innerloop
