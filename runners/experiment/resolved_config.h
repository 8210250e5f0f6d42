// A configuration as it is compared with others.
#pragma once

#include "runners/experiment/config.h"

namespace innerloop {

// The same with the horizon as a number where the environment's own was asked for by 0.
ExperimentConfig with_horizon(ExperimentConfig config);

// with_horizon; and a start that is a run of the same seed, as those of suites are (maml-seed3), without the
// seed.
ExperimentConfig without_seed_of_start(ExperimentConfig config);

}  // namespace innerloop
