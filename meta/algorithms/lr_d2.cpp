#include "meta/algorithms/lr_d2.h"

#include <ATen/ops/log_sigmoid.h>

#include "meta/algorithms/r2d2.h"
#include "meta/feature_classifier.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct LrD2Config {
  double lambda = 50;
  int64_t iterations = 5;
};

const Keys<LrD2Config>& lr_d2_keys() {
  constexpr keys::Interval kWeight{0, 1e6, true, false, "a number above 0 and at most 1000000"};
  static const Keys<LrD2Config> list{
      keys::number("lambda", &LrD2Config::lambda, kWeight, "weight of the ridge penalty"),
      keys::whole("iterations", &LrD2Config::iterations, 1, 1'000, "Newton steps of each regression")};
  return list;
}

class LrD2 : public FeatureClassifier {
 public:
  LrD2(const LrD2Config& config, const MethodContext& context)
      : FeatureClassifier("lr_d2", context), config_(config) {}

  Tensor scores(const FeatureSets& sets, const Params&) const override {
    const bool binary = sets.ways == 2;
    Tensor y = torch::one_hot(sets.support_y, sets.ways).to(sets.support.scalar_type());
    if (binary) y = y.narrow(2, 0, 1);
    const Tensor x = with_ones(sets.support).unsqueeze(1);  // [T, 1, supports, F + 1], of every regression
    const Tensor w = logistic_regression(x.expand({-1, y.size(2), -1, -1}), y.transpose(1, 2).unsqueeze(3),
                                         config_.lambda, config_.iterations);
    const Tensor logits = with_ones(sets.query).matmul(w.squeeze(3).transpose(1, 2));
    return binary ? torch::constant_pad_nd(logits, {0, 1}, 0) : logits;
  }

 private:
  LrD2Config config_;
};

}  // namespace

Tensor logistic_regression(const Tensor& x, const Tensor& y, double lambda, int64_t iterations) {
  const Tensor penalty =
      torch::full(std::vector<int64_t>(static_cast<size_t>(x.dim()), 1), lambda, x.options());
  const Tensor t = 2 * y - 1;
  Tensor w;
  for (int64_t k = 0; k < iterations; ++k) {
    const Tensor eta = k == 0 ? torch::zeros_like(y) : x.matmul(w);
    const Tensor root = (0.5 * (torch::log_sigmoid(eta) + torch::log_sigmoid(-eta))).exp();  // sqrt(s)
    w = ridge_regression(root * x, root * eta + t * (-0.5 * t * eta).exp(), penalty);
  }
  return w;
}

Algorithm lr_d2() {
  return {.name = "lr_d2",
          .paper = "Bertinetto et al. 2019, section 3",
          .summary = "logistic regressions on the features of the support set, by Newton's method",
          .prescribes = {{"inner.steps", "0"}},
          .keys = lr_d2_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            return std::make_unique<LrD2>(lr_d2_keys().read(own, "algorithm lr_d2", "lr_d2"), context);
          }};
}

}  // namespace innerloop
