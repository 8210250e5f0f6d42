#include "meta/policy/policy_gradient_task.h"

#include <numeric>

#include "base/error.h"
#include "networks/mlp_linearization.h"

namespace innerloop {

using torch::Tensor;

namespace {

// Of x [T, M], trajectory after trajectory, the sum over the steps of the trajectory up to each.
Tensor sums_along(const Tensor& x, const std::vector<int64_t>& lengths) {
  std::vector<Tensor> sums;
  for (const auto& trajectory : x.reshape({-1}).split_with_sizes(lengths))
    sums.push_back(trajectory.cumsum(0));
  return torch::cat(sums).view(x.sizes());
}

}  // namespace

void PolicyGradientTask::record(RecordedSteps data, const Params& phi) {
  const torch::NoGradGuard no_graph;
  const auto& observations = data.observations;
  const int64_t steps = std::accumulate(data.lengths.begin(), data.lengths.end(), int64_t{0});
  require(steps == observations.size(0) * observations.size(1), "recorded steps: trajectories of ", steps,
          " steps together for observations ", observations.sizes());
  const auto output = mlp_output(policy_.network(), phi, observations);
  data.old_distribution = policy_.distribution(output, phi).detach().contiguous();
  data_.push_back(std::move(data));
}

Tensor PolicyGradientTask::ratio_surrogate(const Tensor& distribution, const RecordedSteps& data) const {
  const auto old_log_prob = policy_.log_prob(data.old_distribution, data.actions);
  const auto ratio = torch::exp(policy_.log_prob(distribution, data.actions) - old_log_prob);
  return -(ratio * data.advantages).sum(1) / data.steps;
}

std::shared_ptr<const Head> PolicyGradientTask::head(std::function<Tensor(const Tensor&)> loss) const {
  return make_head([this, loss = std::move(loss)](
                       const Tensor& y, const Params& own) { return loss(policy_.distribution(y, own)); },
                   policy_.own_names(), /*separable=*/true);
}

std::shared_ptr<const Head> PolicyGradientTask::loss_head(Part part, int64_t step) const {
  require(part != Part::kBoth, "recorded trajectories: a loss of support and query together asked");
  if (part == Part::kQuery || estimator_ == InnerEstimator::kLikelihoodRatio) {
    return head(
        [this, step](const Tensor& distribution) { return ratio_surrogate(distribution, data(step)); });
  }
  if (estimator_ == InnerEstimator::kDice) {
    return make_head(
        [this, step](const Tensor& y, const Params& own) {
          const auto& recorded = data(step);
          const Tensor log_ratio = policy_.log_prob(policy_.distribution(y, own), recorded.actions) -
                                   policy_.log_prob(recorded.old_distribution, recorded.actions);
          const Tensor box = torch::exp(sums_along(log_ratio, recorded.lengths));
          return -(box * recorded.rewards).sum(1) / recorded.steps;
        },
        policy_.own_names());  // not separable: a reward depends on all actions before it
  }
  return head([this, step](const Tensor& distribution) {
    const auto& recorded = data(step);
    return -(policy_.log_prob(distribution, recorded.actions) * recorded.advantages).sum(1) / recorded.steps;
  });
}

std::shared_ptr<const Head> PolicyGradientTask::kl_head(int64_t step) const {
  return head([this, step](const Tensor& distribution) {
    return policy_.kl(data(step).old_distribution, distribution).sum(1);
  });
}

std::unique_ptr<ComposedLoss> PolicyGradientTask::composed(std::shared_ptr<const Head> head,
                                                           const Params& params, int64_t step) const {
  auto network = std::make_unique<MlpLinearization>(policy_.network(), params, data(step).observations);
  return compose(std::move(network), std::move(head), params);
}

Tensor PolicyGradientTask::loss(Part part, const Params& params, int64_t step) const {
  return head_loss(*loss_head(part, step), policy_.network().forward(params, data(step).observations),
                   params);
}

std::unique_ptr<LossAt> PolicyGradientTask::loss_at(Part part, const Params& params, int64_t step) const {
  return composed(loss_head(part, step), params, step);
}

Tensor PolicyGradientTask::value(Part part, const Params& params, int64_t step) const {
  if (part != Part::kQuery) return Task::value(part, params, step);
  const torch::NoGradGuard no_graph;
  return ratio_surrogate(distribution_at(params, step), data(step));
}

std::unique_ptr<LossAt> PolicyGradientTask::own_loss_at(const OwnLoss& loss, const Params& params,
                                                        int64_t step) const {
  return composed(
      head([this, loss, step](const Tensor& distribution) { return loss(distribution, data(step)); }), params,
      step);
}

Tensor PolicyGradientTask::own_value(const OwnLoss& loss, const Params& params, int64_t step) const {
  const torch::NoGradGuard no_graph;
  return loss(distribution_at(params, step), data(step));
}

Tensor PolicyGradientTask::kl(const Params& params, int64_t step) const {
  const torch::NoGradGuard no_graph;
  return policy_.kl(data(step).old_distribution, distribution_at(params, step)).sum(1);
}

const Tensor& PolicyGradientTask::distribution_at(const Params& params, int64_t step) const {
  bool same = last_.step == step && last_.params.size() == params.size();
  for (size_t i = 0; same && i < params.size(); ++i) same = params[i].is_same(last_.params[i]);
  if (!same) {
    const auto output = mlp_output(policy_.network(), params, data(step).observations);
    last_ = {step, params, policy_.distribution(output, params)};
  }
  return last_.distribution;
}

std::unique_ptr<ComposedLoss> PolicyGradientTask::kl_at(const Params& phi, int64_t step) const {
  return composed(kl_head(step), phi, step);
}

double PolicyGradientTask::entropy_sum(int64_t step) const {
  const torch::NoGradGuard no_graph;
  return policy_.entropy(data(step).old_distribution).sum().item<double>();
}

}  // namespace innerloop
