// The chosen network of the supervised side. No torch: configurations are read without it.
#pragma once

#include <string>
#include <vector>

#include "base/row.h"

namespace innerloop {

struct NetworkConfig {
  std::string name = "mlp";  // see networks()
  // Weights of mlp and of the last layer, see kInitializations. Kernels of convolutions are xavier-uniform
  // always, biases 0.
  std::string initialization = "xavier";
  std::string batch_norm = "none";  // see kBatchNormModes; conv4 and resnet12 always normalise
  Texts own;                        // of the network of this name
};

// "xavier" (uniform), "truncated_normal" (std 0.01; cbfinn/maml's sine network) or "normal" (std 1 in the
// last layer, xavier elsewhere; cbfinn/maml's Omniglot head).
inline const std::vector<std::string> kInitializations{"xavier", "truncated_normal", "normal"};

// Whose statistics normalise (meta/episode_task.h says which each uses where).
inline const std::vector<std::string> kBatchNormModes{"none", "batch", "per_task_running", "global_running"};

std::vector<Row> networks();      // the table
std::vector<Key> network_keys();  // of NetworkConfig, but for `own`

}  // namespace innerloop
