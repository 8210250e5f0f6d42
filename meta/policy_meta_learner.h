// Meta-reinforcement learning: one meta-iteration from tasks to updated meta-parameters, and the evaluation
// of what was learned (Finn et al. 2017, Alg. 3).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "envs/environment.h"
#include "meta/executor.h"
#include "meta/inner_loop.h"
#include "meta/meta_config.h"
#include "policies/policy.h"
#include "sampling/advantages.h"
#include "sampling/sampler.h"

namespace innerloop {

struct PolicyMetaConfig : MetaConfig {
  EnvironmentConfig environment;
  PolicyConfig policy;
  SamplerConfig sampler;
  AdvantageConfig advantage;
  // Inner loss: "log_likelihood" -mean(log pi A), the paper's; "likelihood_ratio" -mean(pi / pi_old A), whose
  // second derivative keeps the sampling distribution's dependence (LVC; Rothfuss et al. 2019, eq. 9).
  std::string estimator = "log_likelihood";
};

struct ReturnStatistics {
  double mean = 0, std = 0;  // over all trajectories of all tasks, undiscounted
  double min = 0, max = 0;
  double success_rate = 0;  // 0 where the environment defines no success
};

struct IterationReport {
  int64_t iteration = 0;
  int64_t environment_steps = 0;           // of this iteration, all inner steps
  std::vector<ReturnStatistics> returns;   // at inner step 0..K
  std::vector<double> explained_variance;  // of the baseline at inner step 0..K, mean over tasks
  double entropy = 0;                      // of the adapted policies, nats, mean over steps
  std::vector<EpisodeFailure> failures;    // by inner step, task, trajectory; trained on as they are
  MetaStep meta_step;
  double sampling_seconds = 0, advantage_seconds = 0;
  double inner_step_seconds = 0;                            // adaptation while sampling
  double meta_step_seconds = 0;                             // of the meta-optimizer; of these:
  double meta_gradient_seconds = 0, curvature_seconds = 0;  // gradient, all Fisher products
  double objective_seconds = 0;                             // values, those of the line search among them
};

struct EvaluationConfig {
  int64_t tasks = 40;
  int64_t steps = 3;
  int64_t trajectories = 40;
  // Step size of evaluation, as a multiple of the inner step size: first step, later steps (maml_rl halves
  // them).
  double first_step_scale = 1.0;
  double later_step_scale = 0.5;
  uint64_t seed = 1;
};

struct TaskEvaluation {
  Eigen::VectorXd task;
  std::vector<double> returns;    // mean undiscounted return of the batch sampled at step 0..K
  std::vector<double> successes;  // share of trajectories with success at step 0..K
};

struct Evaluation {
  std::vector<TaskEvaluation> tasks;
  // trajectories[k]: all tasks at inner step k; only if kept.
  std::vector<Trajectories> trajectories;
};

class PolicyMetaLearner {
 public:
  PolicyMetaLearner(const PolicyMetaConfig& config, ThreadPool& pool);
  ~PolicyMetaLearner();

  const EnvironmentSpec& environment() const;
  const PolicyMetaConfig& config() const { return config_; }

  // Meta-iteration `iteration` (0, 1, ...): a function of (meta-parameters, optimizer state, seed, iteration)
  // alone. Error if a loss is not finite (naming task and inner step), or sampling fails; the state is then
  // as before.
  IterationReport iterate(int64_t iteration);

  const Params& meta_parameters() const { return meta_; }
  Params optimizer_state() const;
  void restore(const Params& meta,
               const Params& optimizer_state);  // Error naming the first entry that does not fit

  // Adapts to tasks drawn from p(T) with the evaluation's own streams. `progress(step)` after each step.
  Evaluation evaluate(const EvaluationConfig& evaluation, bool keep_trajectories = false,
                      const std::function<void(int64_t step)>& progress = {});

 private:
  PolicyMetaConfig config_;
  std::unique_ptr<Policy> policy_;
  Sampler sampler_;
  Executor executor_;
  std::unique_ptr<InnerLoop> inner_;
  std::unique_ptr<MetaOptimizer> optimizer_;
  Params meta_;
};

}  // namespace innerloop
