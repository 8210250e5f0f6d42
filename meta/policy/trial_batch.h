// Recorded trials as one recurrent pass reads them, and PPO's objective on them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "networks/tensors/params.h"
#include "policies/policy.h"
#include "sampling/trajectories.h"

namespace innerloop {

// M steps of some trials in the order of time (policies/recurrent_pass.h); float32, or float64 in tests.
struct TrialBatch {
  std::vector<int64_t> running;    // trials that have a step 0, 1, ...
  torch::Tensor observations;      // [M, observation_size]
  torch::Tensor actions;           // [1, M, action_entries]
  torch::Tensor advantages;        // [1, M]
  torch::Tensor old_distribution;  // [1, M, D], of the policy that recorded them

  int64_t steps() const { return observations.defined() ? observations.size(0) : 0; }
};

// A trial: task, trajectory, and the advantages of its steps.
struct TrialSteps {
  int64_t task = 0, trajectory = 0;
  const Eigen::VectorXd* advantages = nullptr;
};

// No steps for no trials; `old_distribution` is left out.
TrialBatch batch_of(const Trajectories& trajectories, const std::vector<TrialSteps>& trials);

// The policy's distributions along the trials, [1, M, D]; outside any graph. The policy has a cell.
torch::Tensor distributions_along(const Policy& policy, const Params& params, const TrialBatch& batch);

struct PpoConfig {
  double clip_ratio = 0.2;    // epsilon
  double entropy_weight = 0;  // c
};

// Sums over all steps of a batch; those of batches add up.
//   loss     -sum min(r A, clip(r, 1 - epsilon, 1 + epsilon) A) - c sum H(pi),  r = pi / pi_old
//            (Schulman et al. 2017, eq. 7 and 9)
//   kl       sum KL(pi_old || pi)
//   entropy  sum H(pi), nats
struct PpoSums {
  double loss = 0, kl = 0, entropy = 0, steps = 0;
  Params gradient = {};  // of `loss` in all parameters of the policy, through time
};

PpoSums ppo_value(const Policy& policy, const Params& params, const TrialBatch& batch,
                  const PpoConfig& config);
PpoSums ppo_gradient(const Policy& policy, const Params& params, const TrialBatch& batch,
                     const PpoConfig& config);  // with `gradient`

}  // namespace innerloop
