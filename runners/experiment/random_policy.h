// What no learning reaches: the reference beside a policy's returns.
#pragma once

#include "meta/policy/policy_evaluation.h"
#include "runners/experiment/config.h"

namespace innerloop {

// Mean undiscounted return over the evaluation's tasks of actions drawn from N(0, 1), or uniformly from the
// choices; a few trajectories each.
double random_return(const EnvironmentConfig& environment, const PolicyEvaluation& evaluation, uint64_t seed);

}  // namespace innerloop
