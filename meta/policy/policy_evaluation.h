// How well a policy adapts to held-out tasks: what is asked and what is found. No torch: films and tables
// read it.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "base/settings.h"
#include "sampling/trajectories.h"

namespace innerloop {

struct PolicyEvaluationConfig {
  int64_t tasks = 40;
  int64_t steps = 3;
  int64_t trajectories = 40;
  // Step size of evaluation, as a multiple of the inner step size: first step, later steps (maml_rl halves
  // them).
  double first_step_scale = 1.0;
  double later_step_scale = 0.5;
  uint64_t seed = 1;
  std::vector<Eigen::VectorXd> given = {};  // tasks of the caller's own, in the place of `tasks` drawn ones
};

std::vector<Key> policy_evaluation_keys();  // of PolicyEvaluationConfig

struct PolicyTaskEvaluation {
  Eigen::VectorXd task;
  // Mean undiscounted return of the batch sampled at step 0..K; a step is a gradient step, or an episode of a
  // trial where what was seen before is remembered.
  std::vector<double> returns;
  std::vector<double> successes;  // share of trajectories with success at step 0..K
};

struct PolicyEvaluation {
  std::vector<PolicyTaskEvaluation> tasks;
  // trajectories[k]: all tasks at inner step k; only if kept.
  std::vector<Trajectories> trajectories;
  // Step k is the k-th episode of a trial (envs/trial.h), adapted to by memory: an episode follows the one
  // before in the same trajectory of its task, and draws from the environment's stream where that one ended.
  bool of_trials = false;
};

}  // namespace innerloop
