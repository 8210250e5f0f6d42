#include "policies/gaussian_mlp.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <tuple>

#include "base/error.h"
#include "policies/mlp_sampler.h"

namespace innerloop {
namespace {

constexpr double kPi = std::numbers::pi;

// (mean, log-std), each [T, N, A].
std::tuple<torch::Tensor, torch::Tensor> halves(const torch::Tensor& distribution) {
  const int64_t size = distribution.size(-1) / 2;
  return {distribution.narrow(-1, 0, size), distribution.narrow(-1, size, size)};
}

class GaussianSampler : public MlpSampler {
 public:
  GaussianSampler(MlpForward network, Eigen::VectorXf std)
      : MlpSampler(std::move(network)), std_(std::move(std)) {}

  Eigen::Index action_entries() const override { return std_.size(); }

  void act(const Eigen::Ref<const Eigen::MatrixXf>& observations, Stream* const* streams,
           Workspace& workspace, Eigen::Ref<Eigen::MatrixXf> actions) const override {
    const auto mean = output(observations, workspace);
    Stream::normals(streams, mean.cols(), mean.rows(), actions.data(), actions.outerStride());
    for (Eigen::Index b = 0; b < mean.cols(); ++b) {
      for (Eigen::Index i = 0; i < mean.rows(); ++i) {
        actions(i, b) = mean(i, b) + std_[i] * actions(i, b);
      }
    }
  }

 private:
  Eigen::VectorXf std_;
};

}  // namespace

GaussianMlp::GaussianMlp(const PolicyConfig& config, const EnvironmentSpec& environment)
    : GaussianMlp(config, kGaussianKeys.read(config.own, "policy gaussian_mlp", "policy"), environment) {}

GaussianMlp::GaussianMlp(const PolicyConfig& config, const GaussianSettings& own,
                         const EnvironmentSpec& environment)
    : Policy(Mlp({environment.observation_size, config.hidden, environment.action_size,
                  parse_activation(config.activation)})),
      initial_log_std_(std::log(own.initial_std)),
      min_log_std_(std::log(own.min_std)),
      output_scale_(own.output_scale) {}

Params GaussianMlp::initial(Stream& stream) const {
  const auto log_std = torch::full({1, network().config().outputs}, initial_log_std_, torch::kFloat32);
  Params weights = network().initial(stream);
  for (const auto& name : network().head_names()) weights.at(name).mul_(output_scale_);
  return weights.joined(Params({{"log_std", log_std}}));
}

torch::Tensor GaussianMlp::distribution(const torch::Tensor& output, const Params& params) const {
  const auto log_std = params.at("log_std").clamp_min(min_log_std_).unsqueeze(1);
  return torch::cat({output, log_std.expand_as(output)}, -1);
}

torch::Tensor GaussianMlp::log_prob(const torch::Tensor& distribution, const torch::Tensor& actions) const {
  const auto [mean, log_std] = halves(distribution);
  const auto z = (actions - mean) * torch::exp(-log_std);
  const double constant = 0.5 * std::log(2 * kPi) * static_cast<double>(network().config().outputs);
  return -(0.5 * z.square() + log_std).sum(-1) - constant;
}

// sum_i log(s2 / s1) + (s1^2 + (m1 - m2)^2) / (2 s2^2) - 1/2; with d = log(s1 / s2) it is
// 1/2 (e^{2d} - 1 - 2d) + 1/2 ((m1 - m2) / s2)^2, which is exactly 0 at equality and does not cancel near it.
torch::Tensor GaussianMlp::kl(const torch::Tensor& from, const torch::Tensor& to) const {
  const auto [mean_from, log_std_from] = halves(from);
  const auto [mean_to, log_std_to] = halves(to);
  const auto twice_d = 2 * (log_std_from - log_std_to);
  const auto z = (mean_from - mean_to) * torch::exp(-log_std_to);
  return 0.5 * (torch::expm1(twice_d) - twice_d + z.square()).sum(-1);
}

torch::Tensor GaussianMlp::entropy(const torch::Tensor& distribution) const {
  const auto log_std = std::get<1>(halves(distribution));
  return log_std.sum(-1) +
         0.5 * std::log(2 * kPi * std::numbers::e) * static_cast<double>(network().config().outputs);
}

std::unique_ptr<ActionSampler> GaussianMlp::sampler(const Params& params, int64_t task) const {
  const auto log_std = task_slice(params.at("log_std"), task).clamp_min(min_log_std_);
  const Eigen::Map<const Eigen::VectorXf> values(log_std.data_ptr<float>(), log_std.numel());
  return std::make_unique<GaussianSampler>(mlp_forward(network(), params, task), values.array().exp());
}

}  // namespace innerloop
