// Gaussian policy with diagonal covariance: a ~ N(mu(o), diag(sigma^2)), mu an MLP, sigma independent of the
// state (Finn et al. 2017, A.2; rllab's GaussianMLPPolicy).
//
// Own parameter: "log_std" [T, A], used as max(log_std, log(min_std)); it is adapted and meta-learned like a
// weight. Below the minimum its gradient is zero. Distribution [T, N, 2A]: the mean, then the log-std in use.
#pragma once

#include "policies/policy.h"

namespace innerloop {

class GaussianMlp : public Policy {
 public:
  GaussianMlp(const PolicyConfig& config, const EnvironmentSpec& environment);

  Params initial(Stream& stream) const override;
  torch::Tensor distribution(const torch::Tensor& output, const Params& params) const override;
  torch::Tensor log_prob(const torch::Tensor& distribution, const torch::Tensor& actions) const override;
  torch::Tensor kl(const torch::Tensor& from, const torch::Tensor& to) const override;
  torch::Tensor entropy(const torch::Tensor& distribution) const override;
  std::unique_ptr<ActionSampler> sampler(const Params& params, int64_t task) const override;

 private:
  double initial_log_std_, min_log_std_;
};

}  // namespace innerloop
