// Categorical policy over K choices: pi(k | o) = softmax(mlp(o))_k. An action is one number, the index of the
// choice as a float. Distribution [T, N, K]: the logits.
#pragma once

#include "policies/policy.h"

namespace innerloop {

class CategoricalMlp : public Policy {
 public:
  CategoricalMlp(const PolicyConfig& config, const EnvironmentSpec& environment);

  Params initial(Stream& stream) const override;
  torch::Tensor distribution(const torch::Tensor& output, const Params& params) const override;
  torch::Tensor log_prob(const torch::Tensor& distribution, const torch::Tensor& actions) const override;
  torch::Tensor kl(const torch::Tensor& from, const torch::Tensor& to) const override;
  torch::Tensor entropy(const torch::Tensor& distribution) const override;
  std::unique_ptr<ActionSampler> sampler(const Params& params, int64_t task) const override;
};

}  // namespace innerloop
