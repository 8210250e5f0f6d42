// Meta-reinforcement learning, whatever the algorithm: meta-iterations on tasks of an environment, and the
// evaluation of what was learned. PolicyMetaLearner (MAML and its relatives) is one; algorithms that learn
// otherwise bring their own (Algorithm::policy_learner).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "envs/environment.h"
#include "meta/algorithm.h"
#include "meta/meta_optimizer.h"
#include "meta/policy/policy_evaluation.h"
#include "meta/policy/policy_meta_config.h"
#include "networks/tensors/params.h"
#include "sampling/trajectories.h"

namespace innerloop {

struct ReturnStatistics {
  double mean = 0, std = 0;  // over all trajectories of all tasks, undiscounted
  double min = 0, max = 0;
  double success_rate = 0;            // 0 where the environment defines no success
  std::vector<double> per_task = {};  // mean of each task's trajectories
};

// What the trajectories of one task came to.
struct TaskOutcome {
  std::vector<double> returns;           // of each trajectory, undiscounted
  int64_t successes = 0, steps = 0;      // trajectories, all their steps
  std::vector<EpisodeFailure> failures;  // by trajectory

  double mean_return() const;
  double success_rate() const;
};

ReturnStatistics return_statistics(const std::vector<TaskOutcome>& tasks);

struct PolicyReport {
  int64_t iteration = 0;
  int64_t environment_steps = 0;           // of this iteration, all inner steps
  std::vector<ReturnStatistics> returns;   // at inner step 0..K
  std::vector<double> explained_variance;  // of the baseline at inner step 0..K, mean over tasks
  double entropy = 0;                      // of the adapted policies, nats, mean over steps
  std::vector<EpisodeFailure> failures;    // by inner step, task, trajectory; trained on as they are
  MetaStep meta_step;
  double sampling_seconds = 0, advantage_seconds = 0;
  double inner_step_seconds = 0;     // adaptation while sampling
  double meta_step_seconds = 0;      // of the meta-optimizer; of these:
  double meta_gradient_seconds = 0;  // the gradient
  double curvature_seconds = 0;      // all Fisher products
  double objective_seconds = 0;      // values, those of the line search among them
};

class PolicyLearner {
 public:
  virtual ~PolicyLearner() = default;

  virtual const EnvironmentSpec& environment() const = 0;
  virtual const PolicyMetaConfig& config() const = 0;

  // K of iterate()'s reports.
  virtual int64_t steps() const { return config().inner.steps; }

  // Meta-iteration `iteration` (0, 1, ...): a function of (meta-parameters, optimizer state, method state,
  // seed, iteration) alone. Error if a loss is not finite (naming task and inner step), or sampling fails;
  // the state is then as before.
  virtual PolicyReport iterate(int64_t iteration) = 0;

  // The inner step size where it is one number for all entries and steps; NaN where it is learned or there is
  // none.
  virtual double step_size() const = 0;

  virtual const Params& meta_parameters() const = 0;
  virtual Params optimizer_state() const = 0;
  virtual Params method_state() const = 0;
  // Error naming the first entry that does not fit.
  virtual void restore(const Params& meta, const Params& optimizer_state, const Params& method_state) = 0;
  // Replaces meta-parameters and method state alone: to use what was trained, or to start from it.
  virtual void use(const Params& meta, const Params& method_state) = 0;

  // Adapts to tasks drawn from p(T) with the evaluation's own streams, or to those given. `progress(step)`
  // after each step. `adapted`, if not null, receives what the policy of each task reads after the last step,
  // [1, ...]; nothing where a learner adapts otherwise than by its policy's parameters.
  virtual PolicyEvaluation evaluate(const PolicyEvaluationConfig& evaluation, bool keep_trajectories = false,
                                    const std::function<void(int64_t step)>& progress = {},
                                    std::vector<Params>* adapted = nullptr) = 0;
};

// The learner of an algorithm: its own, or the PolicyMetaLearner of its method. UsageError if it does not
// know policies.
std::unique_ptr<PolicyLearner> make_policy_learner(const PolicyMetaConfig& config, const Algorithm& algorithm,
                                                   ThreadPool& pool);

}  // namespace innerloop
