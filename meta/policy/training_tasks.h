// The tasks of a meta-iteration of policies.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "envs/environment.h"
#include "meta/policy/policy_meta_config.h"

namespace innerloop {

// meta.batch_size tasks, T_i ~ p(T), task i by a stream of its own: a function of (seed, iteration, i) alone.
// With sampler.balanced_tasks each of the environment's finite tasks in turn, as often as it goes into the
// batch, and the rest drawn: their shares, which vary by chance from one meta-batch to the next, are no noise
// of the meta-gradient then. UsageError if the environment's tasks are not finite, or more than the batch.
std::vector<Eigen::VectorXd> training_tasks(const PolicyMetaConfig& config, const Environment& environment,
                                            int64_t iteration);

}  // namespace innerloop
