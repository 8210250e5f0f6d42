#include "meta/policy_gradient_task.h"

#include "base/error.h"

namespace innerloop {
namespace {

using torch::Tensor;

// An MlpObjective is a LossAt.
class MlpLoss : public LossAt {
 public:
  MlpLoss(const Mlp& network, const Params& params, const Tensor& x, Head head)
      : objective_(network, params, x, std::move(head)) {}
  const Tensor& loss() override { return objective_.loss(); }
  const Params& gradient() override { return objective_.gradient(); }
  Params hessian_product(const Params& direction) override { return objective_.hessian_product(direction); }

 private:
  MlpObjective objective_;
};

Tensor masked(const Tensor& per_step, const RecordedSteps& data) {
  return data.valid.defined() ? per_step * data.valid : per_step;
}

}  // namespace

InnerEstimator parse_inner_estimator(const std::string& name) {
  if (name == "log_likelihood") return InnerEstimator::kLogLikelihood;
  if (name == "likelihood_ratio") return InnerEstimator::kLikelihoodRatio;
  throw UsageError(unknown_name("inner.estimator", name, {"likelihood_ratio", "log_likelihood"}));
}

void PolicyGradientTask::record(RecordedSteps data, const Params& phi) {
  const torch::NoGradGuard no_graph;
  const auto output = mlp_output(policy_.network(), phi, data.observations);
  data.old_distribution = policy_.distribution(output, phi).detach().contiguous();
  data_.push_back(std::move(data));
}

Tensor PolicyGradientTask::ratio_surrogate(const Tensor& distribution, const RecordedSteps& data) const {
  const auto old_log_prob = policy_.log_prob(data.old_distribution, data.actions);
  const auto ratio = torch::exp(policy_.log_prob(distribution, data.actions) - old_log_prob);
  return -(ratio * data.advantages).sum(1) / data.steps;
}

Head PolicyGradientTask::support_head(int64_t step) const {
  return [this, step](const Tensor& output, const Params& params) {
    const auto& recorded = data(step);
    const auto distribution = policy_.distribution(output, params);
    if (estimator_ == InnerEstimator::kLikelihoodRatio) return ratio_surrogate(distribution, recorded);
    return -(policy_.log_prob(distribution, recorded.actions) * recorded.advantages).sum(1) / recorded.steps;
  };
}

Head PolicyGradientTask::query_head(int64_t step) const {
  return [this, step](const Tensor& output, const Params& params) {
    return ratio_surrogate(policy_.distribution(output, params), data(step));
  };
}

Head PolicyGradientTask::kl_head(int64_t step) const {
  return [this, step](const Tensor& output, const Params& params) {
    const auto& recorded = data(step);
    return masked(policy_.kl(recorded.old_distribution, policy_.distribution(output, params)), recorded)
        .sum(1);
  };
}

Tensor PolicyGradientTask::support_loss(const Params& params, int64_t step) const {
  return support_head(step)(policy_.network().forward(params, data(step).observations), params);
}

Tensor PolicyGradientTask::query_loss(const Params& params, int64_t step) const {
  return query_head(step)(policy_.network().forward(params, data(step).observations), params);
}

std::unique_ptr<LossAt> PolicyGradientTask::support_at(const Params& params, int64_t step) const {
  return std::make_unique<MlpLoss>(policy_.network(), params, data(step).observations, support_head(step));
}

std::unique_ptr<LossAt> PolicyGradientTask::query_at(const Params& params, int64_t step) const {
  return std::make_unique<MlpLoss>(policy_.network(), params, data(step).observations, query_head(step));
}

std::unique_ptr<MlpObjective> PolicyGradientTask::kl_at(const Params& phi, int64_t step) const {
  return std::make_unique<MlpObjective>(policy_.network(), phi, data(step).observations, kl_head(step));
}

PolicyGradientTask::SurrogateAndKl PolicyGradientTask::surrogate_and_kl(const Params& params,
                                                                        int64_t step) const {
  const torch::NoGradGuard no_graph;
  const auto& recorded = data(step);
  const auto output = mlp_output(policy_.network(), params, recorded.observations);
  const auto distribution = policy_.distribution(output, params);
  return {ratio_surrogate(distribution, recorded),
          masked(policy_.kl(recorded.old_distribution, distribution), recorded).sum(1)};
}

double PolicyGradientTask::entropy_sum(int64_t step) const {
  const torch::NoGradGuard no_graph;
  const auto& recorded = data(step);
  return masked(policy_.entropy(recorded.old_distribution), recorded).sum().item<double>();
}

}  // namespace innerloop
