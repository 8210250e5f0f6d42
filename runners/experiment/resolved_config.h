// A configuration as it is compared with others.
#pragma once

#include "runners/experiment/config.h"

namespace innerloop {

// The same with the horizon as a number where the environment's own was asked for by 0.
ExperimentConfig with_horizon(ExperimentConfig config);

}  // namespace innerloop
