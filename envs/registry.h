// All environments by name, in one table (registry.cpp).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "envs/environment.h"

namespace innerloop {

std::vector<std::string> environment_names();

// Throws UsageError with the known names for an unknown name, and for a negative horizon.
std::unique_ptr<Environment> make_environment(const EnvironmentConfig& config);

}  // namespace innerloop
