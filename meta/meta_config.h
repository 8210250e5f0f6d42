// What every meta-training is given, whatever its tasks are. No torch: configurations are read without it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/settings.h"
#include "meta/inner_loop_config.h"
#include "meta/meta_optimizer_config.h"

namespace innerloop {

// The chosen algorithm (meta/algorithms/registry.h).
struct AlgorithmConfig {
  std::string name = "maml";
  Texts own;  // of the algorithm of this name
};

struct MetaConfig {
  AlgorithmConfig algorithm;
  InnerLoopConfig inner;
  int64_t meta_batch_size = 20;  // tasks per meta-iteration
  MetaOptimizerConfig optimizer;
  // Where the meta-parameters start: a run directory or a .safetensors file, whose entries that fit are
  // taken; "": drawn.
  std::string start;
  uint64_t seed = 1;
  double memory = 0;  // GiB that may be used, 0: what the machine has. Never changes a result.
};

// "seed", "inner.*" and "meta.*" of MetaConfig; not the algorithm, whose table stands above this room.
// `optimizers`: the names to choose from (meta/optimizers/registry.h, which stands above it too); what only
// others need is left out.
std::vector<Key> meta_keys(const std::vector<std::string>& optimizers);

}  // namespace innerloop
