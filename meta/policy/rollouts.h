// Samples T tasks step by step while they adapt: what training and evaluation of policies share.
#pragma once

#include <memory>
#include <vector>

#include "meta/executor.h"
#include "meta/gradient_method.h"
#include "meta/policy/policy_gradient_task.h"
#include "meta/policy/policy_learner.h"
#include "policies/policy.h"
#include "sampling/advantages.h"
#include "sampling/sampler.h"

namespace innerloop {

// One task: its recorded trajectories and the adaptation of the meta-parameters to them. Of several processes
// each samples, records and adapts those of its share (Executor::share) alone.
struct RecordedChunk {
  std::unique_ptr<PolicyGradientTask> task;
  GradientMethod::View view;  // of the task; after the first recording
  Adaptation adaptation;
  Moment now;
};

// Chunk t of `tasks` chunks before the first inner step.
std::vector<RecordedChunk> start_chunks(const GradientMethod& method, const Params& meta, int64_t tasks,
                                        const Moment& now, Keep keep);

// What the policy of a chunk reads now.
Params policy_parameters(const GradientMethod& method, const RecordedChunk& chunk);

class Rollouts {
 public:
  struct Seconds {
    double sampling = 0, advantages = 0, inner_steps = 0;
  };

  // What is referred to outlives the object.
  Rollouts(const Policy& policy, const GradientMethod& method, Sampler& sampler, const Executor& executor,
           AdvantageConfig advantage, InnerEstimator estimator)
      : policy_(policy),
        method_(method),
        sampler_(sampler),
        executor_(executor),
        advantage_(advantage),
        estimator_(estimator) {}

  // Samples with every chunk's adapted policy: the tasks of this process' share, none if that is empty. Error
  // naming the inner step if an action is not finite.
  Trajectories sample(const std::vector<Eigen::VectorXd>& tasks, const std::vector<RecordedChunk>& chunks,
                      int64_t per_task, const SampleKey& key);

  // What all tasks' trajectories came to, in every process; `trajectories` are those of its share.
  std::vector<TaskOutcome> outcomes(const Trajectories& trajectories, int64_t tasks) const;

  // Records what was sampled as the data of the next inner step; `kind`: kTask for what is adapted to.
  void record(const Trajectories& trajectories, std::vector<RecordedChunk>& chunks, RewardKind kind);

  // One inner step on the data recorded last.
  void advance(std::vector<RecordedChunk>& chunks, double step_scale);

  const Seconds& seconds() const { return seconds_; }
  // Of the baseline, per recorded inner step, mean over tasks.
  const std::vector<double>& explained_variance() const { return explained_variance_; }

 private:
  const Policy& policy_;
  const GradientMethod& method_;
  Sampler& sampler_;
  const Executor& executor_;
  AdvantageConfig advantage_;
  InnerEstimator estimator_;
  Seconds seconds_;
  std::vector<double> explained_variance_;
};

}  // namespace innerloop
