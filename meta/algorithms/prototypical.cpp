#include "meta/algorithms/prototypical.h"

#include "meta/pair_similarity.h"

namespace innerloop {
namespace {

using torch::Tensor;

class Prototypical : public FeatureClassifier, public PairSimilarity {
 public:
  explicit Prototypical(const MethodContext& context) : FeatureClassifier("prototypical", context) {}

  Tensor scores(const FeatureSets& sets, const Params&) const override { return prototype_scores(sets); }

  Tensor embedding(const Params& meta, const Tensor& x, const Pass& pass) const override {
    return network(false).features(meta, x, pass);
  }
  // Minus the squared distance, by which it classifies.
  Tensor similarity(const Params&, const Tensor& a, const Tensor& b) const override {
    return -torch::cdist(a, b).square();
  }
};

}  // namespace

Tensor prototype_scores(const FeatureSets& sets) {
  const Tensor member =
      torch::one_hot(sets.support_y, sets.ways).to(sets.support.scalar_type());  // [T, supports, ways]
  const Tensor mean = member.transpose(1, 2).matmul(sets.support) / member.sum(1).unsqueeze(2);
  return -(sets.query.unsqueeze(2) - mean.unsqueeze(1)).square().sum(3);
}

Algorithm prototypical() {
  return {.name = "prototypical",
          .paper = "Snell et al. 2017, Alg. 1",
          .summary = "the nearest class mean in a learned space; no inner steps",
          .prescribes = {{"inner.steps", "0"}},
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            kNoKeys.read(own, "algorithm prototypical", "prototypical");
            return std::make_unique<Prototypical>(context);
          }};
}

}  // namespace innerloop
