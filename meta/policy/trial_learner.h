// Policies that learn to learn by remembering: trials of several episodes of one task, a recurrent policy
// whose state is kept within a trial, and PPO on whole trials (RL^2, Duan et al. 2016, section 2; Wang et al.
// 2016). No inner gradient steps: what was seen is the adaptation.
//
// A meta-iteration: meta.batch_size tasks, sampler.trajectories trials of each. Returns and advantages run
// across the episodes of a trial (garage, ProMP's code); the baseline is one for all tasks, on the trial's
// observations, and advantages are standardised over all steps of all tasks, since the policy cannot tell the
// tasks apart where a trial starts. Where an environment has a reward for training (envs/training_reward.h),
// returns and advantages are of that, and the policy observes the task's own. Then meta.epochs times over the
// trials in minibatches of whole ones.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "meta/executor.h"
#include "meta/policy/policy_learner.h"
#include "meta/policy/trial_batch.h"
#include "meta/policy/trial_sample.h"
#include "policies/policy.h"
#include "sampling/sampler.h"

namespace innerloop {

struct TrialConfig {
  int64_t episodes = 2;  // of a trial in training
  PpoConfig ppo;
  int64_t minibatches = 1;   // an epoch; drawn anew for each
  double gradient_norm = 0;  // longer gradients are scaled down to it; 0: none is
};

class TrialLearner : public PolicyLearner {
 public:
  // UsageError for a policy that remembers nothing, naming those that do, for settings that do not fit, and
  // for a meta-optimizer that needs a trust region. `make` as Sampler takes it.
  TrialLearner(const PolicyMetaConfig& config, const TrialConfig& trials, ThreadPool& pool);
  TrialLearner(const PolicyMetaConfig& config, const TrialConfig& trials,
               std::function<std::unique_ptr<Environment>()> make, ThreadPool& pool);
  ~TrialLearner() override;

  const EnvironmentSpec& environment() const override { return environment_; }  // that of an episode
  const PolicyMetaConfig& config() const override { return config_; }
  int64_t steps() const override { return trials_.episodes - 1; }
  double step_size() const override;  // none: NaN

  PolicyReport iterate(int64_t iteration) override;  // returns[k]: of episode k of the trials
  const Params& meta_parameters() const override { return meta_; }
  Params optimizer_state() const override;
  Params method_state() const override { return {}; }
  void restore(const Params& meta, const Params& optimizer_state, const Params& method_state) override;
  void use(const Params& meta, const Params& method_state) override;

  // Trials of evaluation.steps + 1 episodes; step k is episode k, before which k were seen. Nothing in
  // `adapted`.
  PolicyEvaluation evaluate(const PolicyEvaluationConfig& evaluation, bool keep_trajectories = false,
                            const std::function<void(int64_t step)>& progress = {},
                            std::vector<Params>* adapted = nullptr) override;

 private:
  TrialSample sample_trials(int64_t iteration, PolicyReport& report);
  void learn(const TrialSample& sample, const Moment& now, PolicyReport& report);
  // The trials of every chunk that are in minibatch `m` (of all: -1), with the old policy's distributions.
  std::vector<TrialBatch> minibatch(const TrialSample& sample, const std::vector<int64_t>& places,
                                    int64_t m) const;
  void require_room(const std::string& work, int64_t tasks, int64_t trajectories, int64_t episodes) const;

  PolicyMetaConfig config_;
  TrialConfig trials_;
  std::function<std::unique_ptr<Environment>()> make_;  // of an episode
  EnvironmentSpec environment_;
  ThreadPool& pool_;
  Sampler sampler_;  // of trials
  Executor executor_;
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<MetaOptimizer> optimizer_;
  Params meta_;
};

}  // namespace innerloop
