// Gaussian policy with diagonal covariance: a ~ N(mu(o), diag(sigma^2)), mu an MLP, sigma independent of the
// state (Finn et al. 2017, A.2; rllab's GaussianMLPPolicy).
//
// Own parameter: "log_std" [T, A], used as max(log_std, log(min_std)); it is adapted and meta-learned like a
// weight. Below the minimum its gradient is zero. Distribution [T, N, 2A]: the mean, then the log-std in use.
#pragma once

#include "policies/policy.h"

namespace innerloop {

struct GaussianSettings {
  double initial_std = 1.0;  // the log-std starts at log(initial_std), then is adapted and learned
  double min_std = 1e-6;     // log-std is used as max(parameter, log(min_std))
  // Of the initial weights of the last layer. Small: all seeds begin with a mean near 0, the middle of the
  // actions, not with a habit of their own (Andrychowicz et al. 2021, section 3.2, recommend 0.01).
  double output_scale = 1;
};

inline constexpr keys::Interval kStd{0, 1e6, true, false, "a number above 0 and at most 1000000"};
inline constexpr keys::Interval kOutputScale{0, 1e6, false, false, "a number from 0 to 1000000"};
inline const Keys<GaussianSettings> kGaussianKeys{
    keys::number("initial_std", &GaussianSettings::initial_std, kStd,
                 "standard deviation of actions at the start"),
    keys::number("output_scale", &GaussianSettings::output_scale, kOutputScale,
                 "times the initial weights of the last layer"),
    keys::number("min_std", &GaussianSettings::min_std, kStd, "the standard deviation is at least this")};

class GaussianMlp : public Policy {
 public:
  GaussianMlp(const PolicyConfig& config, const EnvironmentSpec& environment);

  Params initial(Stream& stream) const override;
  std::vector<std::string> own_names() const override { return {"log_std"}; }
  torch::Tensor distribution(const torch::Tensor& output, const Params& params) const override;
  torch::Tensor log_prob(const torch::Tensor& distribution, const torch::Tensor& actions) const override;
  torch::Tensor kl(const torch::Tensor& from, const torch::Tensor& to) const override;
  torch::Tensor entropy(const torch::Tensor& distribution) const override;
  std::unique_ptr<ActionSampler> sampler(const Params& params, int64_t task) const override;

 private:
  GaussianMlp(const PolicyConfig& config, const GaussianSettings& own, const EnvironmentSpec& environment);

  double initial_log_std_, min_log_std_, output_scale_;
};

}  // namespace innerloop
