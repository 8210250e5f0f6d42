// The trials that one meta-iteration sampled, cut into chunks of tasks for an Executor: what came of their
// episodes, and the advantages of their steps.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <vector>

#include "meta/executor.h"
#include "meta/policy/policy_learner.h"
#include "meta/policy/trial_batch.h"
#include "sampling/advantages.h"
#include "sampling/trajectories.h"

namespace innerloop {

// Each process samples and keeps the tasks of its share of chunks.
struct TrialSample {
  int64_t tasks = 0, per_task = 0, episodes = 1;  // of all processes; trials of a task, episodes of a trial
  int64_t tasks_per_chunk = 1;
  int64_t first_task = 0;                    // of `trajectories`
  Trajectories trajectories = {};            // of this process; none if its share is empty
  std::vector<Eigen::VectorXd> values = {};  // of trial (t, n) at t per_task + n of `trajectories`

  int64_t chunks() const { return (tasks + tasks_per_chunk - 1) / tasks_per_chunk; }
  // Those of a chunk, counted over all processes.
  Share tasks_of(int64_t chunk) const {
    return {chunk * tasks_per_chunk, std::min((chunk + 1) * tasks_per_chunk, tasks)};
  }
  // Trial n of task `task`, counted over all processes, which is here.
  TrialSteps trial(int64_t task, int64_t n) const {
    const int64_t t = task - first_task;
    return {t, n, &values[static_cast<size_t>(t * per_task + n)]};
  }
};

// What the k-th episodes of the trials of task t came to; `task`: its number in the batch, as failures have
// it.
TaskOutcome episode_outcome(const Trajectories& trials, int64_t t, uint64_t task, int64_t k);

// [k][task], in every process.
std::vector<std::vector<TaskOutcome>> episode_outcomes(const Executor& executor, const TrialSample& sample);

// Fills in `values`: advantages of whole trials over one linear baseline, fitted on the returns of all tasks'
// trials, standardised over all their steps if the configuration says so; of the training reward, where there
// is one. Returns the share of the returns' variance that the baseline explains, for each episode. Sums are
// those of chunks, in their order. Error as advantages().
std::vector<double> find_advantages(const Executor& executor, TrialSample& sample,
                                    const AdvantageConfig& config);

}  // namespace innerloop
