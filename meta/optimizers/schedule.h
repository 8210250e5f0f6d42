// How the step size of the meta-optimizer goes with the meta-iterations.
//
//   e = min(floor(i / stage) stage, iterations) / iterations
//   linear   beta_end + (beta - beta_end) (1 - e)
//   cosine   beta_end + (beta - beta_end) (1 + cos(pi e)) / 2      (Loshchilov and Hutter 2017, eq. 5, no
//   restart)
//   exponential   beta decay^floor(i / stage)                      (the prototypical networks' code: a half
//   every 2,000 episodes)
// and in the first `warm_up` iterations (i + 1) / warm_up of that (Goyal et al. 2017; the schedule itself
// does not wait).
//
// A stage of 500 iterations is an epoch of MAML++ (Antoniou et al. 2019), whose rate is constant within it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "meta/meta_optimizer_config.h"

namespace innerloop {

const std::vector<std::string>& schedule_names();  // "constant", "linear", "cosine", "exponential"

// beta of iteration i (0, 1, ...). UsageError for an unknown name.
double scheduled_step_size(const MetaOptimizerConfig& config, int64_t iteration);

}  // namespace innerloop
