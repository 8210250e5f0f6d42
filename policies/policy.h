// Stochastic policies pi_theta(a | o) as pure functions of their parameters, with a leading task dimension.
//
// A policy is an MLP whose output, together with parameters of the policy's own (a log-std), gives the
// parameters of a distribution over actions. Distributions are plain tensors [T, N, D]: Gaussian D = 2A holds
// (mean, log-std), categorical D = A holds logits; old distributions are kept and compared as such.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "envs/environment.h"
#include "networks/mlp.h"
#include "networks/tensors/tensor.h"
#include "policies/action_sampler.h"
#include "policies/policy_config.h"

namespace innerloop {

class RecurrentCell;

class Policy {
 public:
  virtual ~Policy() = default;

  const Mlp& network() const { return network_; }

  // What stands before the network of a policy that remembers (policies/recurrent_policy.h): it reads the
  // observations of a trajectory in turn, and the network reads its state. Null where the network reads the
  // observations themselves, which is what operator() and gradient steps on single observations need.
  virtual const RecurrentCell* cell() const { return nullptr; }

  // [1, ...] float32: the network's entries first, then the policy's own.
  virtual Params initial(Stream& stream) const = 0;

  // Names of the policy's own entries, what distribution() reads of its parameters.
  virtual std::vector<std::string> own_names() const { return {}; }

  // Distribution parameters from the network's output y [T, N, outputs] and the policy's own parameters.
  virtual torch::Tensor distribution(const torch::Tensor& output,
                                     const Params& params) const = 0;  // [T, N, D]

  // actions [T, N, action_entries] -> log pi(a | o) [T, N], summed over action dimensions.
  virtual torch::Tensor log_prob(const torch::Tensor& distribution, const torch::Tensor& actions) const = 0;
  virtual torch::Tensor kl(const torch::Tensor& from,
                           const torch::Tensor& to) const = 0;                 // KL(from || to) [T, N]
  virtual torch::Tensor entropy(const torch::Tensor& distribution) const = 0;  // [T, N], nats

  // The policy of task `task` of `params` [T, ...]; copies the weights.
  virtual std::unique_ptr<ActionSampler> sampler(const Params& params, int64_t task) const = 0;

  // network() applied to observations [T, N, observation_size], then distribution(); in LibTorch operations.
  torch::Tensor operator()(const Params& params, const torch::Tensor& observations) const {
    return distribution(network_.forward(params, observations), params);
  }

 protected:
  explicit Policy(Mlp network) : network_(std::move(network)) {}

 private:
  Mlp network_;
};

// UsageError for unknown names, bad sizes, and a policy that cannot act in the environment (a Gaussian where
// actions are discrete, a categorical where they are continuous).
std::unique_ptr<Policy> make_policy(const PolicyConfig& config, const EnvironmentSpec& environment);

}  // namespace innerloop
