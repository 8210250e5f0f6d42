#include "meta/algorithms/r2d2.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_solve.h>

#include <cmath>

#include "meta/feature_classifier.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct R2d2Config {
  double lambda = 50;
  bool learn_lambda = false;
  double scale = 10;
};

const Keys<R2d2Config>& r2d2_keys() {
  constexpr keys::Interval kWeight{0, 1e6, true, false, "a number above 0 and at most 1000000"};
  constexpr keys::Interval kScale{-1e6, 1e6, false, false, "a number from -1000000 to 1000000"};
  static const Keys<R2d2Config> list{
      keys::number("lambda", &R2d2Config::lambda, kWeight, "weight of the ridge penalty"),
      keys::truth("learn_lambda", &R2d2Config::learn_lambda, "lambda is where it begins to be meta-learned"),
      keys::number("scale", &R2d2Config::scale, kScale, "where the factor s of the logits begins")};
  return list;
}

Tensor r2d2_number(double value) { return torch::full({1, 1}, value, torch::kFloat32); }

class R2d2 : public FeatureClassifier {
 public:
  R2d2(const R2d2Config& config, const MethodContext& context)
      : FeatureClassifier("r2d2", context), config_(config) {}

  Params own_initial(Stream&) const override {
    const Params adjust({{"scale", r2d2_number(config_.scale)}, {"shift", r2d2_number(0)}});
    return config_.learn_lambda ? adjust.joined(Params({{"lambda", r2d2_number(config_.lambda)}})) : adjust;
  }

  Tensor scores(const FeatureSets& sets, const Params& own) const override {
    const double root = std::sqrt(static_cast<double>(sets.support.size(1)));
    const Tensor lambda = config_.learn_lambda
                              ? own.at("lambda").unsqueeze(2)
                              : torch::full({1, 1, 1}, config_.lambda, sets.support.options());
    const Tensor y = torch::one_hot(sets.support_y, sets.ways).to(sets.support.scalar_type());
    const Tensor w = ridge_regression(with_ones(sets.support) / root, y / root, lambda);
    return own.at("scale").unsqueeze(2) * with_ones(sets.query).matmul(w) + own.at("shift").unsqueeze(2);
  }

 private:
  R2d2Config config_;
};

}  // namespace

Tensor with_ones(const Tensor& features) { return torch::constant_pad_nd(features, {0, 1}, 1); }

Tensor ridge_regression(const Tensor& z, const Tensor& y, const Tensor& lambda, bool dual) {
  const Tensor zt = z.transpose(-2, -1);
  const Tensor gram = dual ? z.matmul(zt) : zt.matmul(z);
  const Tensor regular = gram + lambda * torch::eye(gram.size(-1), gram.options());
  return dual ? zt.matmul(torch::linalg_solve(regular, y)) : torch::linalg_solve(regular, zt.matmul(y));
}

Tensor ridge_regression(const Tensor& z, const Tensor& y, const Tensor& lambda) {
  return ridge_regression(z, y, lambda, z.size(-2) <= z.size(-1));
}

Algorithm r2d2() {
  return {.name = "r2d2",
          .paper = "Bertinetto et al. 2019, section 3",
          .summary = "ridge regression on the features of the support set, in closed form",
          .prescribes = {{"inner.steps", "0"}},
          .keys = r2d2_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            return std::make_unique<R2d2>(r2d2_keys().read(own, "algorithm r2d2", "r2d2"), context);
          }};
}

}  // namespace innerloop
