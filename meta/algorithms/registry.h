// The algorithms by name, in one table (registry.cpp). No torch: configurations are read without it.
#pragma once

#include <string>
#include <vector>

#include "meta/algorithm.h"
#include "meta/meta_config.h"

namespace innerloop {

const std::vector<Algorithm>& algorithms();                // the table
const Algorithm& find_algorithm(const std::string& name);  // UsageError with the nearest and all known names

// Chooses the named algorithm and sets what it prescribes of MetaConfig; keys of one side are left to whoever
// knows that side.
void apply_algorithm(const std::string& name, MetaConfig& config);

}  // namespace innerloop
