#include "meta/algorithms/cdt.h"

#include <ATen/ops/eye.h>

#include "base/row.h"
#include "meta/algorithms/domain_method.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct CdtConfig {
  int64_t embedding = 256;
  double tau = 1;
  double scale = 64;
  double lambda = 0.5;
  bool metric_gradient = true;
};

const Keys<CdtConfig>& cdt_keys() {
  using C = CdtConfig;
  constexpr keys::Interval kMargin{0, 1e4, false, false, "a number from 0 to 10000"};
  constexpr keys::Interval kScale{0, 1e4, true, false, "a number above 0 and at most 10000"};
  static const Keys<C> list{
      keys::whole("embedding", &C::embedding, 1, 100'000, "numbers that a sample is embedded in"),
      keys::number("tau", &C::tau, kMargin, "margin of a triplet"),
      keys::number("scale", &C::scale, kScale, "of cosines before the softmax of the meta-train loss"),
      keys::number("lambda", &C::lambda, keys::kZeroToOne,
                   "of the meta-train loss; 1 - lambda of the cross-domain triplets"),
      keys::truth("metric_gradient", &C::metric_gradient,
                  "differentiate the covariances that measure, not the triplets alone")};
  return list;
}

// x_i' S x_i of every row, [T, J, B]; x [T, B, E], S [T, J, E, E].
Tensor quadratic(const Tensor& x, const Tensor& metric) {
  const Tensor rows = x.unsqueeze(1);
  return (rows.matmul(metric) * rows).sum(3);
}

Tensor transposed(const Tensor& x) { return x.transpose(-2, -1); }

DomainLosses cdt_losses(const CdtConfig& config, const DomainBatches& batches) {
  DomainLosses out{.train = {}, .test = {}, .gamma = config.lambda, .scale = config.scale};
  out.train = [config, domains = batches.domain_of_class()](const Tensor& y, const Tensor& labels,
                                                            const Tensor& templates) {
    const Tensor scores = template_scores(y, templates, config.scale);
    return mean_cross_entropy(within_domain(scores, labels, domains), labels);
  };
  out.test_part = Part::kBoth;
  out.test = [config, n = batches.domains()](const Tensor& y, const Tensor&, const Tensor&) {
    const DomainPairs all = domain_pairs(y, n);
    const auto part = [&](int64_t first, int64_t count) {
      return DomainPairs{all.gallery.narrow(1, first, count), all.probe.narrow(1, first, count)};
    };
    auto [positive, negative] = pair_covariances(part(0, n - 1));
    if (!config.metric_gradient) {
      positive = positive.detach();
      negative = negative.detach();
    }
    return cross_domain_triplet_loss(part(n - 1, 1), positive, negative, config.tau);
  };
  return out;
}

}  // namespace

std::pair<Tensor, Tensor> pair_covariances(const DomainPairs& pairs) {
  const Tensor &a = pairs.gallery, &p = pairs.probe;
  const auto count = static_cast<double>(a.size(2));
  const Tensor difference = a - p;
  const Tensor positive = transposed(difference).matmul(difference) / count;
  // sum over i != j of (a_i - p_j)(a_i - p_j)', without the pairs themselves.
  const Tensor cross =
      transposed(a.sum(2, true)).matmul(p.sum(2, true)) - transposed(a).matmul(p);  // sum of a_i p_j'
  const Tensor own = transposed(a).matmul(a) + transposed(p).matmul(p);
  const Tensor negative = ((count - 1) * own - cross - transposed(cross)) / (count * (count - 1));
  return {positive, negative};
}

Tensor cross_domain_triplet_loss(const DomainPairs& pairs, const Tensor& positive, const Tensor& negative,
                                 double tau) {
  const Tensor a = pairs.gallery.select(1, 0), p = pairs.probe.select(1, 0);  // [T, B, E]
  const int64_t count = a.size(1);
  const Tensor near = quadratic(a - p, positive).unsqueeze(3);  // [T, J, B, 1]
  const Tensor products = a.unsqueeze(1).matmul(negative).matmul(transposed(p).unsqueeze(1));
  const Tensor far = quadratic(a, negative).unsqueeze(3) + quadratic(p, negative).unsqueeze(2) - 2 * products;
  const Tensor hinge = torch::relu(near - far + tau);  // [T, J, anchor, negative]
  const Tensor other = torch::eye(count, torch::kBool).logical_not().to(hinge.scalar_type());
  return (hinge * other).sum({2, 3}).mean(1) / static_cast<double>(count * (count - 1));
}

Algorithm cdt() {
  return {.name = "cdt",
          .paper = "Faraki et al. 2021",
          .summary = "triplets of an unseen domain, measured with another domain's pair covariances",
          .prescribes = {{"inner.steps", "1"}, {"inner.adapt", "all"}},
          .keys = cdt_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = cdt_keys().read(own, "algorithm cdt", "cdt");
            DomainBatches batches("cdt", context);
            auto losses = cdt_losses(config, batches);
            return std::make_unique<DomainMethod>("cdt", config.embedding, std::move(batches),
                                                  std::move(losses), context);
          }};
}

}  // namespace innerloop
