// All environments by name, in one table (registry.cpp).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "envs/environment.h"

namespace innerloop {

std::vector<std::string> environment_names();

// Throws UsageError with the known names for an unknown name, for a negative horizon, and for an action_scale
// where actions have none.
std::unique_ptr<Environment> make_environment(const EnvironmentConfig& config);

}  // namespace innerloop
