#include "meta/algorithms/matching.h"

#include "base/row.h"

namespace innerloop {
namespace {

using torch::Tensor;

const Keys<MatchingScores>& matching_keys() {
  static const Keys<MatchingScores> list{
      keys::spelled("scores", &MatchingScores::sum, {{"attention", false}, {"sum", true}},
                    "of a class: attention over the support set, or the sum of its cosines as logit"),
      keys::number("scale", &MatchingScores::scale, kMatchingScale, "of the cosines")};
  return list;
}

class Matching : public FeatureClassifier {
 public:
  Matching(const MatchingScores& config, const MethodContext& context)
      : FeatureClassifier("matching", context), config_(config) {}

  Tensor scores(const FeatureSets& sets, const Params&) const override {
    return matching_scores(sets, config_);
  }

 private:
  MatchingScores config_;
};

}  // namespace

Tensor matching_scores(const FeatureSets& sets, const MatchingScores& scores) {
  const auto unit = [](const Tensor& f) { return f / (f.square().sum(2, true) + 1e-12).sqrt(); };
  const Tensor scaled = scores.scale * unit(sets.query).matmul(unit(sets.support).transpose(1, 2));
  const Tensor member = torch::one_hot(sets.support_y, sets.ways).to(scaled.scalar_type());
  if (scores.sum) return scaled.matmul(member);
  // The probability of a class underflows at large scales, its logarithm does not. Those of other classes:
  // -inf.
  const Tensor of_class = scaled.unsqueeze(3) + member.log().unsqueeze(1);
  return of_class.logsumexp(2) - scaled.logsumexp(2, /*keepdim=*/true);
}

Algorithm matching() {
  return {.name = "matching",
          .paper = "Vinyals et al. 2016, eq. 1",
          .summary = "attention over the support set by cosines of features; no inner steps",
          .prescribes = {{"inner.steps", "0"}},
          .keys = matching_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            return std::make_unique<Matching>(matching_keys().read(own, "algorithm matching", "matching"),
                                              context);
          }};
}

}  // namespace innerloop
