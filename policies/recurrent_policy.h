// Policies that remember: a recurrent cell reads the observations of a trajectory in turn, an MLP without or
// with hidden layers reads its state, and gives the distribution over actions of gaussian_mlp or
// categorical_mlp, whose entries it has.
//
//   h_t = cell(o_t, h_{t-1}),  a_t ~ pi(. | mlp(h_t))
//
// Parameters: those of the MLP policy on `units` inputs, then the cell's (policies/recurrent_cell.h).
#pragma once

#include <memory>

#include "policies/gaussian_mlp.h"
#include "policies/policy.h"
#include "policies/recurrent_cell.h"

namespace innerloop {

struct RecurrentSettings {
  int64_t units = 64;
  bool learn_start = false;
  double forget_bias = 1;     // lstm
  GaussianSettings gaussian;  // gaussian
};

// Of the policy of this cell and kind of actions.
const Keys<RecurrentSettings>& recurrent_keys(Cell cell, ActionKind actions);

class RecurrentPolicy : public Policy {
 public:
  RecurrentPolicy(Cell cell, const PolicyConfig& config, const EnvironmentSpec& environment);

  const RecurrentCell* cell() const override { return &cell_; }
  Params initial(Stream& stream) const override;
  std::vector<std::string> own_names() const override { return head_->own_names(); }
  torch::Tensor distribution(const torch::Tensor& output, const Params& params) const override {
    return head_->distribution(output, params);
  }
  torch::Tensor log_prob(const torch::Tensor& distribution, const torch::Tensor& actions) const override {
    return head_->log_prob(distribution, actions);
  }
  torch::Tensor kl(const torch::Tensor& from, const torch::Tensor& to) const override {
    return head_->kl(from, to);
  }
  torch::Tensor entropy(const torch::Tensor& distribution) const override {
    return head_->entropy(distribution);
  }
  std::unique_ptr<ActionSampler> sampler(const Params& params, int64_t task) const override;

 private:
  RecurrentPolicy(RecurrentCell cell, std::unique_ptr<Policy> head);

  RecurrentCell cell_;
  std::unique_ptr<Policy> head_;
};

}  // namespace innerloop
