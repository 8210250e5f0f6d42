// Rewards of one task less a baseline of time alone, for estimators that weigh every reward by the actions
// before it (DiCE): such a baseline leaves every derivative's expectation as it is.
//
//   c_t = gamma^t r_t - b_t,  b a cubic in t fitted on these gamma^t r_t (LinearTimeBaseline of ProMP's
//   code); then standardised over all steps of the task (population std), as advantages are
#pragma once

#include <Eigen/Core>

#include "sampling/advantages.h"
#include "sampling/trajectories.h"

namespace innerloop {

// [steps of the task], trajectory after trajectory. Uses the configuration's discount and standardize. Error
// as advantages().
Eigen::VectorXd rewards_over_time(const Trajectories& trajectories, int64_t task,
                                  const AdvantageConfig& config);

}  // namespace innerloop
