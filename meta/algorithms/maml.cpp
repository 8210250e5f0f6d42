#include "meta/algorithms/maml.h"

#include "base/error.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct MamlConfig {
  double initial_weight = 0;
};

const Keys<MamlConfig>& maml_keys() {
  static constexpr keys::Interval kWeight{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<MamlConfig> list{keys::number("initial_weight", &MamlConfig::initial_weight, kWeight,
                                                  "of the loss before adaptation, 0 = the paper's")};
  return list;
}

class InitialAndLastStep : public MetaObjective {
 public:
  explicit InitialAndLastStep(double weight) : weight_(weight) {}

  At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    At out = last_.at(adaptation, task, now);
    const auto initial = task.loss_at(Part::kQuery, adaptation.phi(0), 0);
    out.loss = out.loss + weight_ * initial->loss();
    out.cotangents.front() = weight_ * initial->gradient();
    return out;
  }

  Tensor value(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    return last_.value(adaptation, task, now) + weight_ * task.value(Part::kQuery, adaptation.phi(0), 0);
  }

 private:
  double weight_;
  LastStepObjective last_;
};

Parts maml_parts(const MamlConfig& config, const MethodContext& context) {
  require_usage(context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: training without inner steps is algorithm joint");
  if (config.initial_weight == 0) return {};
  return {.objective = std::make_shared<InitialAndLastStep>(config.initial_weight)};
}

}  // namespace

Algorithm maml() {
  return gradient_algorithm({.name = "maml",
                             .paper = "Finn et al. 2017, Alg. 2 and 3",
                             .summary = "model-agnostic meta-learning, with second derivatives"},
                            maml_keys(), maml_parts);
}

Algorithm fomaml() {
  return gradient_algorithm({.name = "fomaml",
                             .paper = "Finn et al. 2017, section 5.2",
                             .summary = "first-order MAML: second derivatives dropped",
                             .prescribes = {{"inner.first_order", "true"}},
                             .exact = false},
                            maml_keys(), maml_parts);
}

}  // namespace innerloop
