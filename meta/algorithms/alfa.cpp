#include "meta/algorithms/alfa.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

const Keys<AlfaConfig>& alfa_keys() {
  using C = AlfaConfig;
  constexpr keys::Interval kDecay{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<C> list{
      keys::number("decay", &C::decay, kDecay, "share of the weights that a step takes at first, over alpha"),
      keys::truth("constant_gradients", &C::constant_gradients,
                  "what the network sees of the gradients is not differentiated"),
      keys::truth("random_init", &C::random_init,
                  "the initial weights stay random, the steps alone are learned")};
  return list;
}

// A fresh torch.nn.Linear: weight and bias U(-a, a), a = 1 / sqrt(inputs).
std::vector<Params::Entry> linear_layer(const std::string& name, int64_t size, Stream& stream,
                                        const torch::TensorOptions& options) {
  const double a = 1 / std::sqrt(static_cast<double>(size));
  const auto drawn = [&](std::vector<int64_t> shape) {
    const Tensor out = torch::empty(shape, torch::kFloat64);
    double* to = out.data_ptr<double>();
    for (int64_t i = 0; i < out.numel(); ++i) to[i] = stream.uniform(-a, a);
    return out.to(options);
  };
  return {{name + ".weight", drawn({1, size, size})}, {name + ".bias", drawn({1, size})}};
}

class AdaptiveStep : public UpdateRule {
 public:
  AdaptiveStep(double step_size, int64_t steps, const AlfaConfig& config)
      : alpha_(step_size), slots_(std::max<int64_t>(steps, 1)), config_(config) {
    require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
  }

  Params meta_parameters(const Params& adapted, int64_t, Stream& stream) const override {
    const auto count = static_cast<int64_t>(adapted.size());
    const auto options = adapted[0].options();
    auto entries = linear_layer("inner.hidden", 2 * count, stream, options);
    for (auto& entry : linear_layer("inner.output", 2 * count, stream, options)) entries.push_back(entry);
    const double decay = config_.decay * alpha_;
    for (const auto& entry : adapted) {
      entries.push_back({"inner.rate." + entry.name, torch::full({1, slots_}, alpha_, options)});
      entries.push_back({"inner.decay." + entry.name,
                         torch::full({1, slots_}, config_.random_init ? 1.0 : decay, options)});
      if (config_.random_init) {
        entries.push_back({"inner.weight_decay." + entry.name, torch::full_like(entry.value, decay)});
      }
    }
    return Params(std::move(entries));
  }

  Out update(const In& in) const override {
    const auto count = static_cast<int64_t>(in.phi.size());
    const Tensor said = network(in);  // [T, 2 L]
    std::vector<Tensor> out;
    for (int64_t l = 0; l < count; ++l) {
      const auto i = static_cast<size_t>(l);
      const auto& name = in.phi.name(i);
      const auto factor = [&](const char* kind, int64_t column) {  // [T, 1, ..]
        std::vector<int64_t> shape(static_cast<size_t>(in.phi[i].dim()), 1);
        shape[0] = said.size(0);
        return (said.select(1, column) * in.rule.at(kind + name).select(1, slot(in.step))).view(shape);
      };
      Tensor taken = factor("inner.decay.", count + l);
      if (config_.random_init) taken = taken * in.rule.at("inner.weight_decay." + name);
      const Tensor kept = in.phi[i] - in.scale * taken * in.phi[i];
      out.push_back(kept - in.scale * factor("inner.rate.", l) * in.gradient[i]);
    }
    return {in.phi.with(std::move(out)), {}};
  }

 private:
  int64_t slot(int64_t step) const { return std::min(step, slots_ - 1); }

  Tensor network(const In& in) const {
    std::vector<Tensor> state;
    for (const auto& entry : in.phi) state.push_back(entry.value.flatten(1).mean(1));
    for (const auto& entry : in.gradient) {
      const Tensor mean = entry.value.flatten(1).mean(1);
      state.push_back(config_.constant_gradients ? mean.detach() : mean);
    }
    const Tensor tau = torch::stack(state, 1);
    const auto layer = [&](const Tensor& x, const std::string& name) {
      return x.matmul(in.rule.at(name + ".weight")[0].t()) + in.rule.at(name + ".bias");
    };
    return layer(torch::relu(layer(tau, "inner.hidden")), "inner.output");
  }

  double alpha_;
  int64_t slots_;
  AlfaConfig config_;
};

// theta for every task, of which the outer loop learns nothing.
class NotLearned : public LinearMap {
 public:
  Params operator()(const Params& p, const At& at) const override { return p.expanded(at.tasks); }
  Params pullback(const Params& p, const At&, const Params&) const override { return p.zeros_like(); }
  Params pushforward(const Params& p, const At& at, const Params&) const override {
    return p.expanded(at.tasks).zeros_like();
  }
};

Parts alfa_parts(const AlfaConfig& config, const MethodContext& context) {
  require_usage(context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: the steps are what is learned");
  Parts out{.rule = adaptive_step(context.inner.step_size, context.inner.steps, config)};
  if (config.random_init) out.initialisation = std::make_shared<NotLearned>();
  return out;
}

}  // namespace

std::shared_ptr<const UpdateRule> adaptive_step(double step_size, int64_t steps, const AlfaConfig& config) {
  return std::make_shared<AdaptiveStep>(step_size, steps, config);
}

Algorithm alfa() {
  return gradient_algorithm({.name = "alfa",
                             .paper = "Baik et al. 2020, section 3.2",
                             .summary = "step sizes and decay that a network makes of weights and gradients"},
                            alfa_keys(), alfa_parts);
}

}  // namespace innerloop
