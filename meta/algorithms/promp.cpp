#include "meta/algorithms/promp.h"

#include "base/error.h"
#include "meta/gradient_algorithm.h"
#include "meta/policy/policy_gradient_task.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct PrompConfig {
  double clip_ratio = 0.3;
  double kl_penalty = 5e-4;
  double target_kl = 0;
};

const Keys<PrompConfig>& promp_keys() {
  static constexpr keys::Interval kPenalty{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<PrompConfig> list{
      keys::number("clip_ratio", &PrompConfig::clip_ratio, keys::kBetweenZeroAndOne,
                   "how far the outer probability ratio counts, either way"),
      keys::number("kl_penalty", &PrompConfig::kl_penalty, kPenalty,
                   "weight of the KL of each inner step, at first"),
      keys::number("target_kl", &PrompConfig::target_kl, kPenalty,
                   "nats: halve or double the weight to hold the KL of an inner step near it, 0 = keep it")};
  return list;
}

// Means over the steps of a task, [T].
Tensor promp_ratio(const Policy& policy, const Tensor& distribution, const RecordedSteps& data) {
  return torch::exp(policy.log_prob(distribution, data.actions) -
                    policy.log_prob(data.old_distribution, data.actions));
}

PolicyGradientTask::OwnLoss ratio_loss(const Policy& policy) {
  return [&policy](const Tensor& distribution, const RecordedSteps& data) {
    return -(promp_ratio(policy, distribution, data) * data.advantages).sum(1) / data.steps;
  };
}

PolicyGradientTask::OwnLoss clipped_loss(const Policy& policy, double epsilon) {
  return [&policy, epsilon](const Tensor& distribution, const RecordedSteps& data) {
    const Tensor ratio = promp_ratio(policy, distribution, data);
    const Tensor gain = ratio * data.advantages;
    const Tensor clipped = ratio.clamp(1 - epsilon, 1 + epsilon) * data.advantages;
    return -(gain - (gain - clipped).relu()).sum(1) / data.steps;  // the smaller of the two
  };
}

PolicyGradientTask::OwnLoss kl_loss(const Policy& policy) {
  return [&policy](const Tensor& distribution, const RecordedSteps& data) {
    return policy.kl(data.old_distribution, distribution).sum(1) / data.steps;
  };
}

// Recorded trajectories with ProMP's losses.
class PrompTask : public Task {
 public:
  PrompTask(const PolicyGradientTask& task, double clip_ratio) : task_(task), clip_ratio_(clip_ratio) {}

  int64_t size() const override { return task_.size(); }

  Tensor loss(Part part, const Params& params, int64_t step) const override {
    const auto& data = task_.data(step);
    return of(part)(task_.policy()(params, data.observations), data);
  }

  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const override {
    return task_.own_loss_at(of(part), params, step);
  }

  Tensor value(Part part, const Params& params, int64_t step) const override {
    return task_.own_value(of(part), params, step);
  }

  std::unique_ptr<LossAt> kl_at(const Params& params, int64_t step) const {
    return task_.own_loss_at(kl_loss(task_.policy()), params, step);
  }

  Tensor kl(const Params& params, int64_t step) const {
    return task_.own_value(kl_loss(task_.policy()), params, step);
  }

 private:
  PolicyGradientTask::OwnLoss of(Part part) const {
    require(part != Part::kBoth, "recorded trajectories: a loss of support and query together asked");
    return part == Part::kQuery ? clipped_loss(task_.policy(), clip_ratio_) : ratio_loss(task_.policy());
  }

  const PolicyGradientTask& task_;
  double clip_ratio_;
};

// eta_k, which the method moves and the objective reads.
using Penalties = std::vector<double>;

class PrompObjective : public MetaObjective {
 public:
  PrompObjective(std::shared_ptr<const Penalties> penalties, bool adaptive)
      : penalties_(std::move(penalties)), adaptive_(adaptive) {}

  At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    At out = last_.at(adaptation, task, now);
    for (int64_t k = 0; k < adaptation.steps(); ++k) {
      const auto kl = seen(task).kl_at(adaptation.phi(k), k);
      out.loss = out.loss + weight(k, adaptation) * kl->loss();
      out.cotangents[static_cast<size_t>(k)] = weight(k, adaptation) * kl->gradient();
    }
    return out;
  }

  Tensor value(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    Tensor out = last_.value(adaptation, task, now);
    for (int64_t k = 0; k < adaptation.steps(); ++k)
      out = out + weight(k, adaptation) * seen(task).kl(adaptation.phi(k), k);
    return out;
  }

  bool finds() const override { return adaptive_; }

  // The KL of every inner step.
  Params found(const Adaptation& adaptation, const Task& task, const Moment&) const override {
    std::vector<double> kl;
    for (int64_t k = 0; k < adaptation.steps(); ++k)
      kl.push_back(seen(task).kl(adaptation.phi(k), k).sum().item<double>());
    return as_params(kl);
  }

 private:
  static const PrompTask& seen(const Task& task) { return dynamic_cast<const PrompTask&>(task); }

  double weight(int64_t k, const Adaptation& adaptation) const {
    return penalties_->at(static_cast<size_t>(k)) / static_cast<double>(adaptation.steps());
  }

  LastStepObjective last_;
  std::shared_ptr<const Penalties> penalties_;
  bool adaptive_;
};

class Promp : public GradientMethod {
 public:
  Promp(const PrompConfig& config, const MethodContext& context)
      : Promp(config, context,
              std::make_shared<Penalties>(static_cast<size_t>(context.inner.steps), config.kl_penalty)) {}

  void absorb(const Params& found, int64_t tasks, const Moment&) override {
    const auto kl = as_numbers(found);
    for (size_t k = 0; k < kl.size(); ++k) {
      const double mean = kl[k] / static_cast<double>(tasks);
      if (mean < config_.target_kl / 1.5) penalties_->at(k) /= 2;
      if (mean > config_.target_kl * 1.5) penalties_->at(k) *= 2;
    }
  }

  Params state() const override {
    return config_.target_kl > 0 ? as_params(*penalties_).prefixed("kl_penalty.") : Params();
  }

  void restore(const Params& state) override {
    check_fits(state, this->state(), "method state");
    if (config_.target_kl > 0) *penalties_ = as_numbers(state.part("kl_penalty."));
  }

 private:
  Promp(const PrompConfig& config, const MethodContext& context, std::shared_ptr<Penalties> penalties)
      : GradientMethod(Parts{.objective = std::make_shared<PrompObjective>(penalties, config.target_kl > 0),
                             .view = [clip_ratio = config.clip_ratio](
                                         const Task& task, const Moment&) -> std::unique_ptr<Task> {
                               return std::make_unique<PrompTask>(
                                   dynamic_cast<const PolicyGradientTask&>(task), clip_ratio);
                             }},
                       context),
        config_(config),
        penalties_(std::move(penalties)) {}

  PrompConfig config_;
  std::shared_ptr<Penalties> penalties_;
};

}  // namespace

Algorithm promp() {
  return {
      .name = "promp",
      .paper = "Rothfuss et al. 2019, Alg. 1",
      .summary = "proximal meta-policy search: ratios inside, clipped ratios outside, KL of the inner steps",
      .keys = promp_keys().list(),
      .policy_method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<GradientMethod> {
        require_usage(context.inner.steps >= 1, "inner.steps: 0 found, promp needs 1 or more");
        return std::make_unique<Promp>(promp_keys().read(own, "algorithm promp", "promp"), context);
      }};
}

}  // namespace innerloop
