#include "envs/registry.h"

#include "base/error.h"
#include "envs/ant.h"
#include "envs/cart_1d.h"
#include "envs/cart_pole_physics.h"
#include "envs/half_cheetah.h"
#include "envs/humanoid.h"
#include "envs/navigation_2d.h"
#include "envs/observe_task.h"
#include "envs/pendulum_physics.h"
#include "envs/planar_walker.h"
#include "envs/point_robot_sparse.h"

namespace innerloop {
namespace {

constexpr int64_t kLongestEpisode = 1'000'000;
constexpr keys::Interval kScale{0, 1e6, false, false, "a number from 0 to 1000000"};

struct Entry : Row {
  std::unique_ptr<Environment> (*make)(const EnvironmentConfig& config);
};

struct MotorSettings {
  double action_scale = 0;  // 0: the environment's own
};
const Keys<MotorSettings>& motor_keys() {
  static const Keys<MotorSettings> keys{
      keys::number("action_scale", &MotorSettings::action_scale, kScale,
                   "the action that gives the full torque, 0 = the environment's own")};
  return keys;
}

// `variant` returns the definition of one variant of the family `Family`, a struct with a name, a
// description, a field `horizon` and, if the actions of the family have a scale, a field `action_scale`. A
// family with keys of its own gives them as own_keys(definition), keys of that struct.
template <class Family, auto variant>
constexpr bool kHasMotors = requires {
  variant().action_scale;
};

template <class Family, auto variant>
constexpr bool kHasOwnKeys = requires {
  own_keys(variant());
};

template <class Family, auto variant>
std::unique_ptr<Environment> make(const EnvironmentConfig& config) {
  auto def = variant();
  if (config.horizon > 0) def.horizon = config.horizon;
  const std::string owner = "environment " + config.name;
  if constexpr (kHasMotors<Family, variant>) {
    const auto own = motor_keys().read(config.own, owner, "environment");
    if (own.action_scale > 0) def.action_scale = own.action_scale;
  } else if constexpr (kHasOwnKeys<Family, variant>) {
    set_all(&def, own_keys(def), config.own, owner, "environment");
  } else {
    kNoKeys.read(config.own, owner, "environment");
  }
  return std::make_unique<Family>(def);
}

template <class Family, auto variant>
Entry row(const char* name) {
  std::vector<Key> own;
  if constexpr (kHasMotors<Family, variant>) own = motor_keys().list();
  if constexpr (kHasOwnKeys<Family, variant>) own = own_keys(variant());
  return {{name, variant().description, own}, make<Family, variant>};
}

// Adding an environment: write envs/NAME.{h,cpp}, add its line here, run `envs_tests "[contract]"`.
const std::vector<Entry>& table() {
  static const std::vector<Entry> entries{
      row<Cart1d, cart_1d>("cart_1d"),
      row<Navigation2d, navigation_2d>("navigation_2d"),
      row<Navigation2d, navigation_2d_raw>("navigation_2d_raw"),
      row<Navigation2d, navigation_2d_discrete>("navigation_2d_discrete"),
      row<Navigation2d, navigation_2d_corners>("navigation_2d_corners"),
      row<Navigation2d, navigation_2d_corners_sparse>("navigation_2d_corners_sparse"),
      row<Navigation2d, navigation_2d_walls>("navigation_2d_walls"),
      row<PointRobotSparse, point_robot_sparse>("point_robot_sparse"),
      row<CartPolePhysics, cart_pole_physics>("cart_pole_physics"),
      row<PendulumPhysics, pendulum_physics>("pendulum_physics"),
      row<HalfCheetah, half_cheetah_velocity_rllab>("half_cheetah_velocity_rllab"),
      row<HalfCheetah, half_cheetah_direction_rllab>("half_cheetah_direction_rllab"),
      row<HalfCheetah, half_cheetah_velocity_gym>("half_cheetah_velocity_gym"),
      row<HalfCheetah, half_cheetah_direction_gym>("half_cheetah_direction_gym"),
      row<HalfCheetah, half_cheetah_velocity_promp>("half_cheetah_velocity_promp"),
      row<Ant, ant_velocity_rllab>("ant_velocity_rllab"),
      row<Ant, ant_direction_rllab>("ant_direction_rllab"),
      row<Ant, ant_goal_rllab>("ant_goal_rllab"),
      row<Ant, ant_velocity_gym>("ant_velocity_gym"),
      row<Ant, ant_direction_gym>("ant_direction_gym"),
      row<Ant, ant_goal_gym>("ant_goal_gym"),
      row<Humanoid, humanoid_direction>("humanoid_direction"),
      row<Humanoid, humanoid_direction_2d>("humanoid_direction_2d"),
      row<PlanarWalker, hopper_rand_params>("hopper_rand_params"),
      row<PlanarWalker, walker2d_rand_params>("walker2d_rand_params"),
  };
  return entries;
}

}  // namespace

std::vector<Row> environments() { return rows_of(table()); }

std::vector<Key> environment_keys() {
  using C = EnvironmentConfig;
  auto name = keys::choice("name", &C::name, environment_names(),
                           "distribution of tasks (innerloop list environments)");
  return {std::move(name),
          keys::whole("horizon", &C::horizon, 0, kLongestEpisode,
                      "steps of an episode, 0 = the environment's own"),
          keys::truth("observe_task", &C::observe_task,
                      "append the task's parameters to the observation (an oracle)")};
}

std::vector<std::string> environment_names() { return names_of(table()); }

std::unique_ptr<Environment> make_environment(const EnvironmentConfig& config) {
  const Entry& entry = find_named("environment", table(), config.name);
  require_usage(config.horizon >= 0 && config.horizon <= kLongestEpisode, "environment ", config.name,
                ": horizon is ", config.horizon, ", expected a number of steps up to ", kLongestEpisode,
                ", or 0 for the environment's own");
  auto environment = entry.make(config);
  if (config.observe_task) environment = std::make_unique<ObserveTask>(std::move(environment));
  return environment;
}

}  // namespace innerloop
