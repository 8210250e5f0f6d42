// A recorded trajectory stepped again, for what was not recorded: the state after the last action, and
// whatever a renderer needs of the simulator.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <vector>

#include "base/random.h"
#include "envs/environment.h"
#include "meta/policy/policy_evaluation.h"
#include "sampling/trajectories.h"

namespace innerloop {

// Observations of trajectory n of task t: those recorded, then the one after the last action. `key` names the
// stream that the environment drew from. Error if the replay is not, to the bit, what was recorded. `visit`
// is called when the environment is in the state of each observation.
std::vector<Eigen::VectorXf> replay(Environment& environment, const Eigen::VectorXd& task,
                                    const Trajectories& trajectories, int64_t t, int64_t n,
                                    const StreamKey& key, const std::function<void()>& visit = {});

// The same of trajectory n of task t at step k of an evaluation with this seed, which kept its trajectories.
// Of trials also the episodes before, without visits: they drew from the same stream.
std::vector<Eigen::VectorXf> replay(Environment& environment, const PolicyEvaluation& evaluation, int64_t t,
                                    int64_t n, int64_t k, uint64_t seed,
                                    const std::function<void()>& visit = {});

// The key of trajectory n of task t at inner step k of an evaluation.
StreamKey evaluation_key(uint64_t seed, int64_t t, int64_t n, int64_t k);

}  // namespace innerloop
