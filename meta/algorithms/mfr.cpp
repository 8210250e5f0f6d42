#include "meta/algorithms/mfr.h"

#include <ATen/ops/eye.h>

#include "base/row.h"
#include "meta/algorithms/domain_method.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct MfrConfig {
  int64_t embedding = 256;
  double tau_p = 0.3, tau_n = 0.04;
  double scale = 64;     // s
  double alignment = 1;  // times L_da
  double gamma = 0.5;
};

const Keys<MfrConfig>& mfr_keys() {
  using C = MfrConfig;
  constexpr keys::Interval kCosine{-1, 1, false, false, "a number from -1 to 1"};
  constexpr keys::Interval kScale{0, 1e4, true, false, "a number above 0 and at most 10000"};
  constexpr keys::Interval kWeight{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<C> list{
      keys::whole("embedding", &C::embedding, 1, 100'000, "numbers that a sample is embedded in"),
      keys::number("tau_p", &C::tau_p, kCosine, "a pair of one identity is hard with a cosine below this"),
      keys::number("tau_n", &C::tau_n, kCosine, "a pair of two identities is hard with a cosine above this"),
      keys::number("scale", &C::scale, kScale, "s: of cosines before the softmax, and of domain means"),
      keys::number("alignment", &C::alignment, kWeight, "times the alignment of domain means, in the loss"),
      keys::number("gamma", &C::gamma, keys::kZeroToOne,
                   "of the gradient on meta-train domains; 1 - gamma of the meta-gradient")};
  return list;
}

// The mean of `values` where `chosen`, over the last `dimensions`; 0 where none is.
Tensor mean_where(const Tensor& values, const Tensor& chosen, const std::vector<int64_t>& dimensions) {
  const Tensor member = chosen.to(values.scalar_type());
  return (values * member).sum(dimensions) / member.sum(dimensions).clamp_min(1);
}

DomainLosses mfr_losses(const MfrConfig& config, const DomainBatches& batches) {
  DomainLosses out{.train = {}, .test = {}, .gamma = config.gamma, .scale = config.scale};
  const auto classification = [config, domains = batches.domain_of_class()](
                                  const Tensor& y, const Tensor& labels, const Tensor& templates) {
    const Tensor scores = template_scores(y, templates, config.scale);
    return mean_cross_entropy(within_domain(scores, labels, domains), labels);
  };
  out.train = [config, classification, others = batches.domains() - 1](const Tensor& y, const Tensor& labels,
                                                                       const Tensor& templates) {
    const DomainPairs pairs = domain_pairs(y, others);
    return hard_pair_loss(pairs, config.tau_p, config.tau_n) + classification(y, labels, templates) +
           config.alignment * domain_alignment_loss(pairs, config.scale);
  };
  out.test = [config, classification](const Tensor& y, const Tensor& labels, const Tensor& templates) {
    return hard_pair_loss(domain_pairs(y, 1), config.tau_p, config.tau_n) +
           classification(y, labels, templates);
  };
  return out;
}

}  // namespace

Tensor hard_pair_loss(const DomainPairs& pairs, double tau_p, double tau_n) {
  // Of unit rows |g - p|^2 / 2 = 1 - g . p.
  const Tensor cosine = pairs.gallery.matmul(pairs.probe.transpose(2, 3));  // [T, D, B, B]
  const Tensor own = cosine.diagonal(0, 2, 3);
  const Tensor other = torch::eye(cosine.size(2), torch::kBool).logical_not();
  const Tensor positive = mean_where(1 - own, own.lt(tau_p), {2});
  const Tensor negative = mean_where(1 - cosine, cosine.gt(tau_n).logical_and(other), {2, 3});
  return (positive - negative).mean(1);
}

Tensor domain_alignment_loss(const DomainPairs& pairs, double scale) {
  const Tensor mean = (pairs.gallery.mean(2) + pairs.probe.mean(2)) / 2;  // [T, D, E]
  return (scale * (mean - mean.mean(1, true))).square().sum(2).mean(1);
}

Algorithm mfr() {
  return {.name = "mfr",
          .paper = "Guo et al. 2020",
          .summary = "faces of unseen domains: every training domain takes its turn as the unseen one",
          .prescribes = {{"inner.steps", "1"}, {"inner.adapt", "all"}},
          .keys = mfr_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = mfr_keys().read(own, "algorithm mfr", "mfr");
            DomainBatches batches("mfr", context);
            auto losses = mfr_losses(config, batches);
            return std::make_unique<DomainMethod>("mfr", config.embedding, std::move(batches),
                                                  std::move(losses), context);
          }};
}

}  // namespace innerloop
