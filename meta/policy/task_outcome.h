// TaskOutcome as what crosses processes: steps, successes and returns as numbers; failures, where there are
// any, as numbers and the bytes of their reasons.
#pragma once

#include <cstdint>

#include "meta/policy/policy_learner.h"
#include "networks/tensors/params.h"

namespace innerloop {

Params outcome_params(const TaskOutcome& outcome);
TaskOutcome outcome_of(const Params& params, uint64_t task);

}  // namespace innerloop
