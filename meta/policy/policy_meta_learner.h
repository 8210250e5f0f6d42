// Policy-gradient MAML and its relatives: trajectories at every inner step, the meta-objective on those of
// the adapted policies (Finn et al. 2017, Alg. 3).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "meta/executor.h"
#include "meta/gradient_method.h"
#include "meta/policy/policy_learner.h"
#include "policies/policy.h"
#include "sampling/sampler.h"

namespace innerloop {

class PolicyMetaLearner : public PolicyLearner {
 public:
  PolicyMetaLearner(const PolicyMetaConfig& config, const Algorithm& algorithm, ThreadPool& pool);
  // On environments of the caller's own instead of config.environment; `make` as Sampler takes it.
  PolicyMetaLearner(const PolicyMetaConfig& config, const Algorithm& algorithm,
                    std::function<std::unique_ptr<Environment>()> make, ThreadPool& pool);
  ~PolicyMetaLearner() override;

  const EnvironmentSpec& environment() const override { return sampler_.spec(); }
  const PolicyMetaConfig& config() const override { return config_; }
  const GradientMethod& method() const { return *method_; }

  double step_size() const override { return method_->step_size(); }
  PolicyReport iterate(int64_t iteration) override;
  const Params& meta_parameters() const override { return meta_; }
  Params optimizer_state() const override;
  Params method_state() const override;
  void restore(const Params& meta, const Params& optimizer_state, const Params& method_state) override;
  void use(const Params& meta, const Params& method_state) override;
  PolicyEvaluation evaluate(const PolicyEvaluationConfig& evaluation, bool keep_trajectories = false,
                            const std::function<void(int64_t step)>& progress = {},
                            std::vector<Params>* adapted = nullptr) override;

 protected:
  // Held-out tasks: drawn from p(T), or the caller's own. UsageError for an evaluation of no tasks, no
  // trajectories or a negative number of steps.
  std::vector<Eigen::VectorXd> evaluation_tasks(const PolicyEvaluationConfig& evaluation) const;

  // Error if the machine has less than so many tasks take: trajectories at every inner step, of which `kept`
  // are in memory at a time with the activations of their network.
  void require_room(const std::string& work, int64_t tasks, int64_t trajectories, int64_t kept) const;

  PolicyMetaConfig config_;
  std::function<std::unique_ptr<Environment>()> make_;
  Sampler sampler_;
  Executor executor_;
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<GradientMethod> method_;
  std::unique_ptr<MetaOptimizer> optimizer_;
  Params meta_;
};

}  // namespace innerloop
