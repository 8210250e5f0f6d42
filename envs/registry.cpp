#include "envs/registry.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "envs/ant.h"
#include "envs/half_cheetah.h"
#include "envs/navigation_2d.h"
#include "envs/observe_task.h"
#include "envs/planar_walker.h"

namespace innerloop {
namespace {

// `variant` returns the definition of one variant of the family `Family`, a struct with a field `horizon`
// and, if the actions of the family have a scale, a field `action_scale`.
template <class Family, auto variant>
std::unique_ptr<Environment> make(const EnvironmentConfig& config) {
  auto def = variant();
  if (config.horizon > 0) def.horizon = config.horizon;
  if constexpr (requires { def.action_scale; }) {
    if (config.action_scale > 0) def.action_scale = config.action_scale;
  } else {
    require_usage(config.action_scale == 0, "environment ", config.name, ": action_scale is ",
                  config.action_scale, ", but its actions have no scale; expected 0");
  }
  return std::make_unique<Family>(def);
}

struct Entry {
  const char* name;
  std::unique_ptr<Environment> (*make)(const EnvironmentConfig& config);
};

// Adding an environment: write envs/NAME.{h,cpp}, add its line here, run `envs_tests "[contract]"`.
constexpr Entry kEnvironments[] = {
    {"navigation_2d", make<Navigation2d, navigation_2d>},
    {"navigation_2d_raw", make<Navigation2d, navigation_2d_raw>},
    {"navigation_2d_discrete", make<Navigation2d, navigation_2d_discrete>},
    {"navigation_2d_corners", make<Navigation2d, navigation_2d_corners>},
    {"navigation_2d_corners_sparse", make<Navigation2d, navigation_2d_corners_sparse>},
    {"navigation_2d_walls", make<Navigation2d, navigation_2d_walls>},
    {"half_cheetah_velocity_rllab", make<HalfCheetah, half_cheetah_velocity_rllab>},
    {"half_cheetah_direction_rllab", make<HalfCheetah, half_cheetah_direction_rllab>},
    {"half_cheetah_velocity_gym", make<HalfCheetah, half_cheetah_velocity_gym>},
    {"half_cheetah_direction_gym", make<HalfCheetah, half_cheetah_direction_gym>},
    {"half_cheetah_velocity_promp", make<HalfCheetah, half_cheetah_velocity_promp>},
    {"ant_velocity_rllab", make<Ant, ant_velocity_rllab>},
    {"ant_direction_rllab", make<Ant, ant_direction_rllab>},
    {"ant_goal_rllab", make<Ant, ant_goal_rllab>},
    {"ant_velocity_gym", make<Ant, ant_velocity_gym>},
    {"ant_direction_gym", make<Ant, ant_direction_gym>},
    {"ant_goal_gym", make<Ant, ant_goal_gym>},
    {"hopper_rand_params", make<PlanarWalker, hopper_rand_params>},
    {"walker2d_rand_params", make<PlanarWalker, walker2d_rand_params>},
};

}  // namespace

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (const auto& entry : kEnvironments) names.emplace_back(entry.name);
  return names;
}

std::unique_ptr<Environment> make_environment(const EnvironmentConfig& config) {
  const auto entry = std::find_if(std::begin(kEnvironments), std::end(kEnvironments),
                                  [&](const Entry& e) { return e.name == config.name; });
  require_usage(entry != std::end(kEnvironments),
                unknown_name("environment", config.name, environment_names()));
  require_usage(config.horizon >= 0, "environment ", config.name, ": horizon is ", config.horizon,
                ", expected a number of steps, or 0 for the environment's own");
  require_usage(std::isfinite(config.action_scale) && config.action_scale >= 0, "environment ", config.name,
                ": action_scale is ", config.action_scale,
                ", expected a number above 0, or 0 for the environment's own");
  auto environment = entry->make(config);
  if (config.observe_task) environment = std::make_unique<ObserveTask>(std::move(environment));
  return environment;
}

}  // namespace innerloop
