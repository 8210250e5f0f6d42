#include "meta/algorithms/e_maml.h"

#include "base/error.h"
#include "meta/gradient_algorithm.h"
#include "meta/policy/policy_gradient_task.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct EMamlConfig {
  std::string credit = "first";
  double weight = 1;
};

const Keys<EMamlConfig>& e_maml_keys() {
  static constexpr keys::Interval kWeight{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<EMamlConfig> list{
      keys::choice("credit", &EMamlConfig::credit, {"first", "all"},
                   "inner steps whose sampling is credited"),
      keys::number("weight", &EMamlConfig::weight, kWeight, "of the sampling's credit, 0 = MAML")};
  return list;
}

class SamplingCredit : public MetaObjective {
 public:
  explicit SamplingCredit(const EMamlConfig& config) : config_(config) {}

  At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    At out = query_.at(adaptation, task, now);
    for (int64_t k = 0; k < credited(adaptation); ++k) {
      const auto term = seen(task).own_loss_at(credit(adaptation, task), adaptation.phi(k), k);
      out.loss = out.loss + term->loss();
      out.cotangents[static_cast<size_t>(k)] = term->gradient();
    }
    return out;
  }

  Tensor value(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    Tensor out = query_.value(adaptation, task, now);
    for (int64_t k = 0; k < credited(adaptation); ++k)
      out = out + seen(task).own_value(credit(adaptation, task), adaptation.phi(k), k);
    return out;
  }

 private:
  static const PolicyGradientTask& seen(const Task& task) {
    return dynamic_cast<const PolicyGradientTask&>(task);
  }

  int64_t credited(const Adaptation& adaptation) const {
    return config_.credit == "all" ? adaptation.steps() : 1;
  }

  // -weight c mean(log pi), c that of the adapted policy's trajectories.
  PolicyGradientTask::OwnLoss credit(const Adaptation& adaptation, const Task& task) const {
    const auto& policy = seen(task).policy();
    const Tensor c = config_.weight * seen(task).data(adaptation.steps()).adjusted_reward;
    return [&policy, c](const Tensor& distribution, const RecordedSteps& data) {
      return -(c * policy.log_prob(distribution, data.actions).sum(1)) / data.steps;
    };
  }

  EMamlConfig config_;
  LastStepObjective query_;
};

Parts e_maml_parts(const EMamlConfig& config, const MethodContext& context) {
  require_usage(context.inner.steps >= 1,
                "inner.steps: 0 found, e_maml needs 1 or more: it credits what they read");
  return {.objective = std::make_shared<SamplingCredit>(config)};
}

}  // namespace

Algorithm e_maml() {
  return gradient_algorithm({.name = "e_maml",
                             .paper = "Stadie et al. 2018, section 3",
                             .summary = "MAML for policies with credit for what the initial policy samples"},
                            e_maml_keys(), e_maml_parts, Tasks::kPolicies);
}

}  // namespace innerloop
