// All meta-optimizers by name, in one table (registry.cpp).
#pragma once

#include <memory>

#include "meta/meta_optimizer.h"
#include "meta/optimizers/table.h"

namespace innerloop {

// UsageError for unknown names and for settings out of range.
std::unique_ptr<MetaOptimizer> make_meta_optimizer(const MetaOptimizerConfig& config, const Params& meta);

}  // namespace innerloop
