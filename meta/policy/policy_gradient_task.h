// The RL adapter: T tasks as recorded trajectories, with the policy-gradient surrogate as their loss.
//
// Trajectories recorded at inner step k < K are the support set of step k; those of step K are the query set.
//   support  log_likelihood    L_k = -mean(log pi_phi(a | o) A)
//            likelihood_ratio  L_k = -mean(pi_phi(a | o) / pi_old(a | o) A)     (LVC; Rothfuss et al. 2019,
//            eq. 9)
//            dice              L_k = -mean(box_t c_t), box_t the product of pi_phi / pi_old over the
//            trajectory's
//                              steps up to t, c the rewards less a baseline of time
//                              (sampling/time_baseline.h). At pi_old, where inner steps are taken, box_t is
//                              the magic box exp(l_t - stop(l_t)) with all its derivatives (Foerster et al.
//                              2018, DiCE, section 4); as in ProMP's code, but for its mean, which counts
//                              steps after an episode's end as zeros
//   query    J = -mean(pi_phi(a | o) / pi_old(a | o) A)
// Means are over all steps of a task; pi_old is the policy that recorded them, A its standardised advantages.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "meta/policy/inner_estimator.h"
#include "meta/task.h"
#include "networks/head.h"
#include "policies/policy.h"

namespace innerloop {

// One inner step's data of T tasks with M steps each, trajectory after trajectory.
struct RecordedSteps {
  torch::Tensor observations;  // [T, M, observation_size]
  torch::Tensor actions;       // [T, M, action_entries]
  torch::Tensor advantages;    // [T, M]
  torch::Tensor rewards;       // [T, M], dice alone: c of its support sets
  torch::Tensor steps;         // [T], recorded steps: M
  // [T], mean over a task's steps of (r - m) / (s + 1e-8), m and s the mean and the deviation of the rewards
  // r of all steps of all tasks of the meta-batch that were recorded with these.
  torch::Tensor adjusted_reward;
  std::vector<int64_t> lengths;    // of the trajectories in this order, task 0's first; they add up to T M
  torch::Tensor old_distribution;  // [T, M, D], of the recording policy
};

class PolicyGradientTask : public Task {
 public:
  PolicyGradientTask(const Policy& policy, InnerEstimator estimator)
      : policy_(policy), estimator_(estimator) {}

  // Appends the data of the next inner step, recorded with `phi` [T, ...] (fills in old_distribution). Error
  // for lengths that do not add up.
  void record(RecordedSteps data, const Params& phi);

  int64_t size() const override { return data_.front().observations.size(0); }
  torch::Tensor loss(Part part, const Params& params, int64_t step) const override;
  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const override;
  torch::Tensor value(Part part, const Params& params, int64_t step) const override;

  const RecordedSteps& data(int64_t step) const { return data_[static_cast<size_t>(step)]; }

  // A loss of an algorithm's own on the data of `step`: loss(distribution [T, M, D], data) -> [T], a sum over
  // steps in which each enters through its own distribution. With derivatives, and its value outside any
  // graph.
  using OwnLoss = std::function<torch::Tensor(const torch::Tensor& distribution, const RecordedSteps& data)>;
  std::unique_ptr<LossAt> own_loss_at(const OwnLoss& loss, const Params& params, int64_t step) const;
  torch::Tensor own_value(const OwnLoss& loss, const Params& params, int64_t step) const;
  const Policy& policy() const { return policy_; }

  // KL(old || new), summed over the task's steps, [T]; outside any graph.
  torch::Tensor kl(const Params& params, int64_t step) const;

  // At phi that recorded `step`: products with the Hessian of the KL above, the Fisher matrix summed over
  // steps. There the KL's gradient in the distribution vanishes, so J^T (d2 KL) J is the whole Hessian.
  std::unique_ptr<ComposedLoss> kl_at(const Params& phi, int64_t step) const;

  double entropy_sum(int64_t step) const;  // of the recording policies, nats, over all tasks and steps

 private:
  // They refer to the task. Error for both parts at once.
  std::shared_ptr<const Head> loss_head(Part part, int64_t step) const;
  std::shared_ptr<const Head> kl_head(int64_t step) const;
  // A loss of the policy's distribution at the recorded observations.
  std::shared_ptr<const Head> head(
      std::function<torch::Tensor(const torch::Tensor& distribution)> loss) const;
  std::unique_ptr<ComposedLoss> composed(std::shared_ptr<const Head> head, const Params& params,
                                         int64_t step) const;
  torch::Tensor ratio_surrogate(const torch::Tensor& distribution, const RecordedSteps& data) const;
  // At the recorded observations, outside any graph. A line search asks for loss and KL at the same
  // parameters: the last one is kept.
  const torch::Tensor& distribution_at(const Params& params, int64_t step) const;

  const Policy& policy_;
  InnerEstimator estimator_;
  std::vector<RecordedSteps> data_;
  struct Last {
    int64_t step = -1;
    Params params;
    torch::Tensor distribution;
  };
  mutable Last last_;  // one thread at a time uses a task
};

}  // namespace innerloop
