// Advantages of one task's trajectories, as the MAML paper's code computes them (maml_rl; reference: GAE,
// Schulman et al. 2016; linear feature baseline, Duan et al. 2016).
//
//   R_t = sum_k gamma^k r_{t+k};  b fitted on these R, on these trajectories
//   delta_t = r_t + gamma b_{t+1} - b_t,  b = 0 after the last step (also where the horizon cut the episode)
//   A_t = sum_k (gamma lambda)^k delta_{t+k};  then standardised over all steps of the task (population std)
#pragma once

#include <Eigen/Core>

#include "sampling/trajectories.h"

namespace innerloop {

struct AdvantageConfig {
  double discount = 0.99;   // gamma
  double gae_lambda = 1.0;  // lambda
  bool standardize = true;  // (A - mean A) / (std A + 1e-8) per task
};

struct TaskAdvantages {
  Eigen::VectorXd values;              // all steps of the task, trajectory after trajectory
  double baseline_explained_variance;  // 1 - var(R - b) / var(R); 0 if the returns do not vary
};

// Error if a reward is not finite or the baseline cannot be fitted, naming the task.
TaskAdvantages advantages(const Trajectories& trajectories, int64_t task, const AdvantageConfig& config,
                          RewardKind kind = RewardKind::kTask);

// Of trajectory n of task `task`: R_t of all its steps. Error as above, or if it has none.
Eigen::VectorXd discounted_returns(const Trajectories& trajectories, int64_t task, int64_t n, double discount,
                                   RewardKind kind);

// A_t of it, not standardised, with the baseline b_t at its steps.
Eigen::VectorXd generalised_advantages(const Trajectories& trajectories, int64_t task, int64_t n,
                                       const Eigen::VectorXd& b, const AdvantageConfig& config,
                                       RewardKind kind);

}  // namespace innerloop
