// The chosen policy. No torch: configurations are read without it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/row.h"

namespace innerloop {

struct PolicyConfig {
  std::string name = "gaussian_mlp";      // see policies()
  std::vector<int64_t> hidden{100, 100};  // sizes of the hidden layers
  std::string activation = "relu";        // see kActivations
  Texts own;                              // of the policy of this name
};

std::vector<Row> policies();     // the table
std::vector<Key> policy_keys();  // of PolicyConfig, but for `own`

}  // namespace innerloop
