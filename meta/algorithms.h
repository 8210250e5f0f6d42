// The algorithms by name. An algorithm is a choice of inner loop, meta-objective and meta-optimizer; the
// choices of a named algorithm are settings, so that the effective configuration shows them.
#pragma once

#include <string>
#include <vector>

#include "meta/meta_config.h"
#include "policies/policy.h"

namespace innerloop {

std::vector<NamedDescription> algorithms();  // the table

// Sets what the named algorithm prescribes. UsageError with the known names.
void apply_algorithm(const std::string& name, MetaConfig& config);

}  // namespace innerloop
