#include "policies/categorical_mlp.h"

#include <cmath>
#include <limits>

#include "policies/mlp_sampler.h"

namespace innerloop {
namespace {

class CategoricalSampler : public MlpSampler {
 public:
  using MlpSampler::MlpSampler;

  Eigen::Index action_entries() const override { return 1; }

  // Inverse of the cumulative distribution: the first k with p_0 + ... + p_k > u. Probabilities are
  // unnormalised, relative to the largest, so that none overflows; u is scaled by their sum instead.
  void act(const Eigen::Ref<const Eigen::MatrixXf>& observations, Stream* const* streams,
           Workspace& workspace, Eigen::Ref<Eigen::MatrixXf> actions) const override {
    const auto logits = output(observations, workspace);
    for (Eigen::Index b = 0; b < logits.cols(); ++b) {
      const double largest = logits.col(b).maxCoeff<Eigen::PropagateNaN>();
      double total = 0;
      for (Eigen::Index k = 0; k < logits.rows(); ++k) total += std::exp(logits(k, b) - largest);
      const double target = streams[b]->uniform() * total;
      if (!std::isfinite(target)) {  // the caller reports it; no choice can stand for it
        actions(0, b) = std::numeric_limits<float>::quiet_NaN();
        continue;
      }
      Eigen::Index choice = 0;
      double sum = std::exp(logits(0, b) - largest);
      // Rounding cannot run past the end: the last partial sum is `total`, added in the same order.
      while (sum <= target && choice + 1 < logits.rows()) sum += std::exp(logits(++choice, b) - largest);
      actions(0, b) = static_cast<float>(choice);
    }
  }
};

}  // namespace

CategoricalMlp::CategoricalMlp(const PolicyConfig& config, const EnvironmentSpec& environment)
    : Policy(Mlp({environment.observation_size, config.hidden, environment.action_size,
                  parse_activation(config.activation)})) {
  kNoKeys.read(config.own, "policy categorical_mlp", "policy");
}

Params CategoricalMlp::initial(Stream& stream) const { return network().initial(stream); }

torch::Tensor CategoricalMlp::distribution(const torch::Tensor& output, const Params&) const {
  return output;
}

torch::Tensor CategoricalMlp::log_prob(const torch::Tensor& distribution,
                                       const torch::Tensor& actions) const {
  return torch::log_softmax(distribution, -1).gather(-1, actions.to(torch::kInt64)).squeeze(-1);
}

torch::Tensor CategoricalMlp::kl(const torch::Tensor& from, const torch::Tensor& to) const {
  const auto log_p = torch::log_softmax(from, -1);
  return (log_p.exp() * (log_p - torch::log_softmax(to, -1))).sum(-1);
}

torch::Tensor CategoricalMlp::entropy(const torch::Tensor& distribution) const {
  const auto log_p = torch::log_softmax(distribution, -1);
  return -(log_p.exp() * log_p).sum(-1);
}

std::unique_ptr<ActionSampler> CategoricalMlp::sampler(const Params& params, int64_t task) const {
  return std::make_unique<CategoricalSampler>(mlp_forward(network(), params, task));
}

}  // namespace innerloop
