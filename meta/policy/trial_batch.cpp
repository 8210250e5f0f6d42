#include "meta/policy/trial_batch.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "networks/tensors/derivatives.h"
#include "policies/recurrent_cell.h"

namespace innerloop {
namespace {

using torch::Tensor;

const RecurrentCell& cell_of(const Policy& policy) {
  require(policy.cell() != nullptr, "trials: the policy remembers nothing");
  return *policy.cell();
}

struct LossParts {
  Tensor loss, kl, entropy;  // sums over the steps, scalars
};

LossParts ppo_parts(const Policy& policy, const Tensor& distribution, const TrialBatch& batch,
                    const PpoConfig& config) {
  const Tensor ratio = torch::exp(policy.log_prob(distribution, batch.actions) -
                                  policy.log_prob(batch.old_distribution, batch.actions));
  const Tensor gain = ratio * batch.advantages;
  const Tensor clipped = ratio.clamp(1 - config.clip_ratio, 1 + config.clip_ratio) * batch.advantages;
  const Tensor surrogate = (gain - (gain - clipped).relu()).sum();  // the smaller of the two
  const Tensor kl = policy.kl(batch.old_distribution, distribution.detach()).sum();
  if (config.entropy_weight == 0) return {-surrogate, kl, policy.entropy(distribution.detach()).sum()};
  const Tensor entropy = policy.entropy(distribution).sum();
  return {-surrogate - config.entropy_weight * entropy, kl, entropy};
}

PpoSums sums_of(const LossParts& parts, const TrialBatch& batch) {
  return {.loss = parts.loss.item<double>(),
          .kl = parts.kl.item<double>(),
          .entropy = parts.entropy.item<double>(),
          .steps = static_cast<double>(batch.steps())};
}

}  // namespace

TrialBatch batch_of(const Trajectories& trajectories, const std::vector<TrialSteps>& trials) {
  TrialBatch batch;
  std::vector<int64_t> lengths;
  for (const auto& trial : trials) lengths.push_back(trajectories.length(trial.task, trial.trajectory));
  const auto order = order_in_time(lengths);
  if (order.rows.empty()) return batch;
  const auto steps = static_cast<int64_t>(order.rows.size());
  const int64_t observed = trajectories.observation_size(), acted = trajectories.action_entries();
  const auto observations = torch::empty({steps, observed}), actions = torch::empty({1, steps, acted}),
             advantages = torch::empty({1, steps});
  auto *to_observation = observations.data_ptr<float>(), *to_action = actions.data_ptr<float>(),
       *to_advantage = advantages.data_ptr<float>();
  for (size_t i = 0; i < trials.size(); ++i) {
    const auto& trial = trials[i];
    const auto from = trajectories.observations(trial.task, trial.trajectory);
    require(trial.advantages->size() == lengths[i], "trials: ", trial.advantages->size(),
            " advantages of a trial of ", lengths[i], " steps");
    std::memcpy(to_observation, from.data(), static_cast<size_t>(from.size()) * sizeof(float));
    const auto taken = trajectories.actions(trial.task, trial.trajectory);
    std::memcpy(to_action, taken.data(), static_cast<size_t>(taken.size()) * sizeof(float));
    Eigen::Map<Eigen::VectorXf>(to_advantage, lengths[i]) = trial.advantages->cast<float>();
    to_observation += from.size();
    to_action += taken.size();
    to_advantage += lengths[i];
  }
  const auto rows = torch::tensor(order.rows, torch::kInt64);
  batch.running = order.running;
  batch.observations = observations.index_select(0, rows);
  batch.actions = actions.index_select(1, rows);
  batch.advantages = advantages.index_select(1, rows);
  return batch;
}

Tensor distributions_along(const Policy& policy, const Params& params, const TrialBatch& batch) {
  const torch::NoGradGuard no_graph;
  const CellPass pass(cell_of(policy), params, batch.observations, batch.running);
  return policy.distribution(policy.network().forward(params, pass.states()), params);
}

PpoSums ppo_value(const Policy& policy, const Params& params, const TrialBatch& batch,
                  const PpoConfig& config) {
  if (batch.steps() == 0) return {};
  const torch::NoGradGuard no_graph;
  return sums_of(ppo_parts(policy, distributions_along(policy, params, batch), batch, config), batch);
}

// Autograd differentiates what stands behind the cell, the pass the way through time.
PpoSums ppo_gradient(const Policy& policy, const Params& params, const TrialBatch& batch,
                     const PpoConfig& config) {
  if (batch.steps() == 0) {
    PpoSums none;
    none.gradient = params.zeros_like();
    return none;
  }
  CellPass pass(cell_of(policy), params, batch.observations, batch.running);
  const auto& of_cell = cell_of(policy).names();
  const at::AutoGradMode with_graph(true);
  std::vector<torch::Tensor> values;
  for (const auto& entry : params) values.push_back(entry.value.detach().requires_grad_());
  const Params at = params.with(values);
  const Tensor states = pass.states().detach().requires_grad_();
  const LossParts parts =
      ppo_parts(policy, policy.distribution(policy.network().forward(at, states), at), batch, config);
  auto found = gradients({parts.loss}, joined({states}, values), {torch::ones_like(parts.loss)});
  const at::AutoGradMode without_graph(false);
  const Params through_time = pass.gradient(found.front().detach());
  std::vector<torch::Tensor> gradient;
  for (size_t i = 0; i < params.size(); ++i) {
    const bool cell = std::find(of_cell.begin(), of_cell.end(), params.name(i)) != of_cell.end();
    gradient.push_back(cell ? through_time.at(params.name(i)) : found[i + 1].detach());
  }
  PpoSums out = sums_of(parts, batch);
  out.gradient = params.with(std::move(gradient));
  return out;
}

}  // namespace innerloop
