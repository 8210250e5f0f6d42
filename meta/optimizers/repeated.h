// Several steps of a meta-optimizer on the data of one meta-batch (the epochs of PPO and ProMP).
#pragma once

#include <memory>

#include "meta/meta_optimizer.h"

namespace innerloop {

// Reports the values before the first step and after the last. Error of any step: meta-parameters and the
// optimizer's state are then as before the first.
std::unique_ptr<MetaOptimizer> repeated(std::unique_ptr<MetaOptimizer> one, int64_t epochs);

}  // namespace innerloop
