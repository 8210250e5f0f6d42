// The RL adapter: T tasks as recorded trajectories, with the policy-gradient surrogate as their loss.
//
// Trajectories recorded at inner step k < K are the support set of step k; those of step K are the query set.
//   support  log_likelihood    L_k = -mean(log pi_phi(a | o) A)
//            likelihood_ratio  L_k = -mean(pi_phi(a | o) / pi_old(a | o) A)     (LVC; Rothfuss et al. 2019,
//            eq. 9)
//   query    J = -mean(pi_phi(a | o) / pi_old(a | o) A)
// Means are over all steps of a task; pi_old is the policy that recorded them, A its standardised advantages.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "meta/task.h"
#include "networks/mlp_linearization.h"
#include "policies/policy.h"

namespace innerloop {

enum class InnerEstimator { kLogLikelihood, kLikelihoodRatio };
InnerEstimator parse_inner_estimator(const std::string& name);  // UsageError with the known names

// One inner step's data of T tasks, padded to M steps where the tasks' numbers of steps differ.
struct RecordedSteps {
  torch::Tensor observations;  // [T, M, observation_size]
  torch::Tensor actions;       // [T, M, action_entries]
  torch::Tensor advantages;    // [T, M], 0 in the padding
  torch::Tensor valid;         // [T, M], 1 for a recorded step, 0 in the padding; undefined if none is padded
  torch::Tensor steps;         // [T], recorded steps
  torch::Tensor old_distribution;  // [T, M, D], of the recording policy
};

class PolicyGradientTask : public Task {
 public:
  PolicyGradientTask(const Policy& policy, InnerEstimator estimator)
      : policy_(policy), estimator_(estimator) {}

  // Appends the data of the next inner step, recorded with `phi` [T, ...] (fills in old_distribution).
  void record(RecordedSteps data, const Params& phi);

  int64_t size() const override { return data_.front().observations.size(0); }
  torch::Tensor support_loss(const Params& params, int64_t step) const override;
  torch::Tensor query_loss(const Params& params, int64_t step) const override;
  std::unique_ptr<LossAt> support_at(const Params& params, int64_t step) const override;
  std::unique_ptr<LossAt> query_at(const Params& params, int64_t step) const override;

  const RecordedSteps& data(int64_t step) const { return data_[static_cast<size_t>(step)]; }

  struct SurrogateAndKl {
    torch::Tensor loss;  // J, [T]
    torch::Tensor kl;    // KL(old || new), summed over the task's steps, [T]
  };
  SurrogateAndKl surrogate_and_kl(const Params& params, int64_t step) const;  // values alone

  // At phi that recorded `step`: products with the Hessian of the KL above, the Fisher matrix summed over
  // steps. There the KL's gradient in the distribution vanishes, so J^T (d2 KL) J is the whole Hessian.
  std::unique_ptr<MlpObjective> kl_at(const Params& phi, int64_t step) const;

  double entropy_sum(int64_t step) const;  // of the recording policies, nats, over all tasks and steps

 private:
  Head support_head(int64_t step) const;
  Head query_head(int64_t step) const;
  Head kl_head(int64_t step) const;
  torch::Tensor ratio_surrogate(const torch::Tensor& distribution, const RecordedSteps& data) const;

  const Policy& policy_;
  InnerEstimator estimator_;
  std::vector<RecordedSteps> data_;
};

}  // namespace innerloop
