// The rollout engine: worker threads step whole horizons without a barrier; no torch, no lock and no
// allocation on the hot path.
//
// The unit of work is a block of up to kBlock trajectories of one policy, stepped together so that the
// policy's forward pass is a matrix product: of one task, or of several where one policy serves all. Blocks
// depend on the numbers of tasks and trajectories only, and every trajectory draws from its own counter-based
// streams: the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "envs/environment.h"
#include "policies/action_sampler.h"
#include "sampling/trajectories.h"

namespace innerloop {

struct SamplerConfig {
  int64_t trajectories = 20;    // per task and inner step
  bool balanced_tasks = false;  // finitely many tasks: each equally often in every meta-batch
};

// Names the streams of one call: trajectory n of task t draws from (seed, purpose, iteration, t, n, step).
struct SampleKey {
  uint64_t seed = 0;
  uint64_t iteration = 0;
  uint32_t step = 0;        // inner step at which the trajectories are sampled
  bool evaluation = false;  // evaluation draws from purposes of its own
  uint64_t first_task = 0;  // index of tasks[0], when a batch is sampled in parts
};

class Sampler {
 public:
  static constexpr int64_t kBlock = 20;

  // `factory` makes one environment, possibly from several threads at once; each thread keeps as many as it
  // needs. The pool outlives the sampler.
  Sampler(std::function<std::unique_ptr<Environment>()> factory, ThreadPool& pool);
  ~Sampler();

  const EnvironmentSpec& spec() const;

  // Exactly `per_task` trajectories for every task; policies[t] acts in tasks[t] (one entry serves all
  // tasks). An environment's Error ends the call and names task and trajectory; an episode that its
  // simulation fails (StepResult::failed) is cut there and among the failures().
  Trajectories sample(const std::vector<Eigen::VectorXd>& tasks,
                      const std::vector<const ActionSampler*>& policies, int64_t per_task,
                      const SampleKey& key);

 private:
  struct Worker;
  // Trajectories first, ..., first + count - 1 of all tasks', task 0's first.
  void run_block(Worker& worker, const std::vector<Eigen::VectorXd>& tasks, const ActionSampler& policy,
                 int64_t first, int64_t count, const SampleKey& key, Trajectories& out);

  std::function<std::unique_ptr<Environment>()> factory_;
  ThreadPool& pool_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace innerloop
