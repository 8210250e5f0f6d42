#include "meta/algorithms/maml_plus_plus.h"

#include <algorithm>

#include "base/error.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct MamlPlusPlusConfig {
  bool multi_step = true;
  int64_t multi_step_epochs = 10;
  int64_t first_order_epochs = 50;
  bool learned_rates = true;
  bool per_step_batch_norm = true;
  int64_t epoch = 500;
};

const Keys<MamlPlusPlusConfig>& maml_plus_plus_keys() {
  static const Keys<MamlPlusPlusConfig> list{
      keys::truth("multi_step", &MamlPlusPlusConfig::multi_step,
                  "query losses after every inner step, early in training"),
      keys::whole("multi_step_epochs", &MamlPlusPlusConfig::multi_step_epochs, 1, 1'000'000,
                  "epochs until the last step's loss counts alone"),
      keys::whole("first_order_epochs", &MamlPlusPlusConfig::first_order_epochs, -1, 1'000'000,
                  "first order up to this epoch, -1 = never"),
      keys::truth("learned_rates", &MamlPlusPlusConfig::learned_rates,
                  "a learned step size for every tensor and step"),
      keys::truth("per_step_batch_norm", &MamlPlusPlusConfig::per_step_batch_norm,
                  "shifts and scales of normalisation of their own for every step"),
      keys::whole("epoch", &MamlPlusPlusConfig::epoch, 1, 1'000'000, "meta-iterations of an epoch"),
  };
  return list;
}

class RatePerTensorAndStep : public UpdateRule {
 public:
  RatePerTensorAndStep(double step_size, int64_t steps) : initial_(step_size), steps_(steps) {
    require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
  }

  Params meta_parameters(const Params& adapted, int64_t, Stream&) const override {
    std::vector<Params::Entry> entries;
    for (const auto& entry : adapted) {
      entries.push_back({"inner.rate." + entry.name,
                         torch::full({1, std::max<int64_t>(steps_, 1)}, initial_, entry.value.options())});
    }
    return Params(std::move(entries));
  }

  Out update(const In& in) const override {
    std::vector<Tensor> out;
    for (size_t i = 0; i < in.phi.size(); ++i) {
      out.push_back(in.phi[i] - in.scale * rate(in, i, in.phi[i].dim()) * in.gradient[i]);
    }
    return {in.phi.with(std::move(out)), {}};
  }

  Cotangents pullback(const In& in, const Out& c) const override {
    std::vector<Tensor> to_rule, to_gradient;
    for (size_t i = 0; i < c.phi.size(); ++i) {
      Tensor d_rate = torch::zeros_like(in.rule[i]);
      d_rate.select(1, slot(in.step)).fill_(-in.scale * (in.gradient[i] * c.phi[i]).sum());
      to_rule.push_back(d_rate);
      to_gradient.push_back(-in.scale * rate(in, i, c.phi[i].dim()) * c.phi[i]);
    }
    return {in.rule.with(std::move(to_rule)), c.phi, c.phi.with(std::move(to_gradient)), {}, {}};
  }

 private:
  int64_t slot(int64_t step) const { return std::min(step, std::max<int64_t>(steps_, 1) - 1); }
  Tensor rate(const In& in, size_t i, int64_t dim) const {
    return in.rule[i].select(1, slot(in.step)).view(std::vector<int64_t>(static_cast<size_t>(dim), 1));
  }

  double initial_;
  int64_t steps_;
};

bool is_norm(const std::string& name) { return name.rfind("norm", 0) == 0; }

std::string slot_name(const std::string& name, int64_t slot) { return concat(name, ".step", slot); }

// phi's slots of a step as the entries that the network knows.
class StepNorms : public LinearMap {
 public:
  StepNorms(std::vector<std::string> names, int64_t steps) : names_(std::move(names)), steps_(steps) {}

  Params operator()(const Params& p, const At& at) const override {
    std::vector<Params::Entry> out;
    for (const auto& name : names_) {
      out.push_back({name, p.at(is_norm(name) ? slot_name(name, slot(at)) : name)});
    }
    return Params(std::move(out));
  }

  Params pullback(const Params& p, const At& at, const Params& c) const override {
    Params out = p.zeros_like();
    std::vector<Tensor> values = out.tensors();
    for (size_t i = 0; i < p.size(); ++i) {
      for (const auto& name : names_) {
        if (p.name(i) == (is_norm(name) ? slot_name(name, slot(at)) : name)) values[i] = c.at(name);
      }
    }
    return out.with(std::move(values));
  }

 private:
  int64_t slot(const At& at) const {
    const int64_t step = at.part == Part::kSupport ? at.step : at.step - 1;
    return std::clamp<int64_t>(step, 0, steps_ - 1);
  }

  std::vector<std::string> names_;  // of the network
  int64_t steps_;
};

class MultiStep : public MetaObjective {
 public:
  explicit MultiStep(const MamlPlusPlusConfig& config) : config_(config) {}

  At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    At out;
    out.cotangents.resize(static_cast<size_t>(adaptation.steps()) + 1);
    out.second_order = epoch(now) > config_.first_order_epochs;
    const auto weights = weights_of(adaptation, now);
    for (int64_t k = adaptation.steps(); k >= 0; --k) {
      const auto i = static_cast<size_t>(k);
      if (weights[i] == 0) continue;
      const auto query = task.loss_at(Part::kQuery, adaptation.phi(k), k);
      add(out.loss, weights[i] * query->loss());
      out.cotangents[i] = weights[i] * query->gradient();
    }
    return out;
  }

  Tensor value(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    Tensor loss;
    const auto weights = weights_of(adaptation, now);
    for (int64_t k = adaptation.steps(); k >= 0; --k) {
      const double weight = weights[static_cast<size_t>(k)];
      if (weight != 0) add(loss, weight * task.value(Part::kQuery, adaptation.phi(k), k));
    }
    return loss;
  }

 private:
  static void add(Tensor& sum, const Tensor& term) { sum = sum.defined() ? sum + term : term; }
  int64_t epoch(const Moment& now) const { return now.iteration / config_.epoch; }

  // Of phi_0 .. phi_S.
  std::vector<double> weights_of(const Adaptation& adaptation, const Moment& now) const {
    const int64_t steps = adaptation.steps();
    std::vector<double> weights(static_cast<size_t>(steps) + 1, 0);
    weights.back() = 1;
    if (!config_.multi_step || !now.training || steps == 0) return weights;
    const auto found = multi_step_weights(steps, config_.multi_step_epochs, epoch(now));
    std::copy(found.begin(), found.end(), weights.begin() + 1);
    return weights;
  }

  MamlPlusPlusConfig config_;
};

Parts maml_plus_plus_parts(const MamlPlusPlusConfig& config, const MethodContext& context) {
  const int64_t steps = context.inner.steps;
  require_usage(steps >= 1, "inner.steps: 0 found, maml_plus_plus needs 1 or more");
  Parts out;
  if (config.learned_rates) {
    out.rule = std::make_shared<RatePerTensorAndStep>(context.inner.step_size, steps);
  }
  out.objective = std::make_shared<MultiStep>(config);
  if (!config.per_step_batch_norm || !context.network) return out;
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names alone matter
  const auto names = context.network(context.outputs)->initial(any).names();
  if (std::none_of(names.begin(), names.end(), is_norm)) return out;
  out.network = std::make_shared<StepNorms>(names, steps);
  out.meta = [steps](const Params& network, Stream&) {
    std::vector<Params::Entry> entries;
    for (const auto& entry : network) {
      if (!is_norm(entry.name)) {
        entries.push_back(entry);
        continue;
      }
      for (int64_t k = 0; k < steps; ++k) entries.push_back({slot_name(entry.name, k), entry.value.clone()});
    }
    return Params(std::move(entries));
  };
  return out;
}

}  // namespace

std::vector<double> multi_step_weights(int64_t steps, int64_t epochs, int64_t epoch) {
  const auto s = static_cast<double>(steps), e = static_cast<double>(epoch);
  std::vector<double> weights(static_cast<size_t>(steps), 0);
  weights.back() = 1;
  if (epoch >= epochs) return weights;
  const double decay = 1 / (s * static_cast<double>(epochs)), least = 0.03 / s;
  std::fill(weights.begin(), weights.end(), std::max(1 / s - e * decay, least));
  weights.back() = std::min(1 / s + e * (s - 1) * decay, 1 - (s - 1) * least);
  return weights;
}

Algorithm maml_plus_plus() {
  return gradient_algorithm(
      {.name = "maml_plus_plus",
       .paper = "Antoniou et al. 2019",
       .summary = "MAML with multi-step loss, order annealing, learned rates and norms for every step",
       .exact_from = 51 * MamlPlusPlusConfig{}.epoch},
      maml_plus_plus_keys(), maml_plus_plus_parts);
}

}  // namespace innerloop
