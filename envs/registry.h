// All environments by name, in one table (registry.cpp).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/row.h"
#include "envs/environment.h"

namespace innerloop {

std::vector<Row> environments();      // the table
std::vector<Key> environment_keys();  // of EnvironmentConfig, but for `own`
std::vector<std::string> environment_names();

// Throws UsageError with the known names for an unknown name, for a horizon out of range, and for own
// settings that the environment does not know (action_scale where actions have none).
std::unique_ptr<Environment> make_environment(const EnvironmentConfig& config);

}  // namespace innerloop
