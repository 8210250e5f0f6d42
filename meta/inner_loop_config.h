// What a configuration chooses of the inner loop (meta/inner_loop.h). No torch.
#pragma once

#include <cstdint>
#include <string>

namespace innerloop {

struct InnerLoopConfig {
  int64_t steps = 1;         // K; 0: no adaptation in training
  double step_size = 0.1;    // alpha
  bool first_order = false;  // drop the second-derivative terms
  // "all", "head" (the last layer), "body" (the others), or parameter names; separated by commas, '*' matches
  // any text ("layer2.*").
  std::string adapt = "all";
  // Keep only phi_k of every step and compute the support loss there again when it is differentiated: memory
  // grows by one copy of the parameters a step instead of by all that a gradient needs. Same values.
  bool checkpointing = false;
};

}  // namespace innerloop
