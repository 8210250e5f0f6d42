// What every meta-training is given, whatever its tasks are.
#pragma once

#include <cstdint>

#include "meta/inner_loop.h"
#include "meta/meta_optimizer.h"

namespace innerloop {

struct MetaConfig {
  InnerLoopConfig inner;
  int64_t meta_batch_size = 20;  // tasks per meta-iteration
  MetaOptimizerConfig optimizer;
  uint64_t seed = 1;
};

}  // namespace innerloop
