#include "meta/algorithms/matching.h"

#include "base/row.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct MatchingConfig {
  bool sum = false;
};

const Keys<MatchingConfig>& matching_keys() {
  static const Keys<MatchingConfig> list{
      keys::spelled("scores", &MatchingConfig::sum, {{"attention", false}, {"sum", true}},
                    "of a class: attention over the support set, or the sum of its cosines as logit")};
  return list;
}

class Matching : public FeatureClassifier {
 public:
  Matching(const MatchingConfig& config, const MethodContext& context)
      : FeatureClassifier("matching", context), sum_(config.sum) {}

  Tensor scores(const FeatureSets& sets, const Params&) const override { return matching_scores(sets, sum_); }

 private:
  bool sum_;
};

}  // namespace

Tensor matching_scores(const FeatureSets& sets, bool sum) {
  const auto unit = [](const Tensor& f) { return f / (f.square().sum(2, true) + 1e-12).sqrt(); };
  const Tensor cosines = unit(sets.query).matmul(unit(sets.support).transpose(1, 2));
  const Tensor member = torch::one_hot(sets.support_y, sets.ways).to(cosines.scalar_type());
  return sum ? cosines.matmul(member) : cosines.softmax(2).matmul(member).log();
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
