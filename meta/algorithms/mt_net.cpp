#include "meta/algorithms/mt_net.h"

#include <ATen/ops/log.h>
#include <ATen/ops/sigmoid.h>

#include <set>

#include "base/error.h"
#include "meta/algorithms/t_net.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct MtNetConfig {
  double temperature = 1;
  bool share = true;
};

const Keys<MtNetConfig>& mt_net_keys() {
  constexpr keys::Interval kTemperature{0, 1e6, true, false, "a number above 0 and at most 1000000"};
  static const Keys<MtNetConfig> list{
      keys::number("temperature", &MtNetConfig::temperature, kTemperature, "of the mask's derivative"),
      keys::truth("share", &MtNetConfig::share,
                  "one mask for each output and task, else one for each weight and step")};
  return list;
}

class MaskedStep : public UpdateRule {
 public:
  MaskedStep(double step_size, double temperature, bool share)
      : alpha_(step_size), temperature_(temperature), share_(share) {
    require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
    require_usage(temperature > 0, "mt_net.temperature: ", temperature, " found, expected a positive number");
  }

  double step_size() const override { return alpha_; }

  Params meta_parameters(const Params& adapted, int64_t, Stream&) const override {
    std::vector<Params::Entry> entries;
    std::set<std::string> known;
    for (const auto& entry : adapted) {
      const auto layer = layer_of(entry.name, entry.value);
      if (layer.name.empty() || !known.insert(mask_name(entry.name, layer.name)).second) continue;
      const auto options = entry.value.options();
      entries.push_back(
          {mask_name(entry.name, layer.name),
           share_ ? torch::zeros({1, layer.outputs}, options) : torch::zeros(entry.value.sizes(), options)});
    }
    return Params(std::move(entries));
  }

  Out update(const In& in) const override {
    const Params masks = drawn(in);
    std::vector<Tensor> out;
    for (size_t i = 0; i < in.phi.size(); ++i) {
      const auto layer = layer_of(in.phi.name(i), in.phi[i]);
      Tensor step = in.gradient[i];
      if (!layer.name.empty()) step = along(masks.at(mask_name(in.phi.name(i), layer.name)), step) * step;
      out.push_back(in.phi[i] - alpha_ * in.scale * step);
    }
    return {in.phi.with(std::move(out)), {}};
  }

 private:
  std::string mask_name(const std::string& entry, const std::string& layer) const {
    return "inner.mask." + (share_ ? layer : entry);
  }

  // A function of the moment and, unless shared, of the step: the step is asked again when it is
  // differentiated.
  Params drawn(const In& in) const {
    const int64_t tasks = in.loss.size(0);
    std::vector<Tensor> noise;
    for (const auto& entry : in.rule) {
      auto shape = entry.value.sizes().vec();
      shape[0] = tasks;
      shape.insert(shape.begin(), 2);
      noise.push_back(torch::empty(shape, torch::kFloat64));
    }
    const int64_t passes = share_ ? 1 : in.step + 1;
    for (int64_t t = 0; t < tasks; ++t) {
      Stream stream = in.now.stream(t);
      for (int64_t pass = 0; pass < passes; ++pass) {
        for (const auto& u : noise) {
          const int64_t count = u.numel() / (2 * tasks);
          double* to = u.data_ptr<double>() + t * count;
          for (int64_t side = 0; side < 2; ++side, to += tasks * count) {
            for (int64_t i = 0; i < count; ++i) to[i] = stream.uniform();
          }
        }
      }
    }
    std::vector<Tensor> masks;
    for (size_t i = 0; i < noise.size(); ++i) {
      masks.push_back(gumbel_mask(in.rule[i], noise[i].to(in.rule[i].scalar_type()), temperature_));
    }
    return in.rule.with(std::move(masks));
  }

  // A mask of outputs [T, out] in the shape of an entry of its layer.
  Tensor along(const Tensor& mask, const Tensor& value) const {
    if (!share_ || value.dim() == 2) return mask;
    const int64_t tasks = mask.size(0), outputs = mask.size(1);
    return value.dim() == 5 ? mask.view({tasks, 1, 1, 1, outputs}) : mask.view({tasks, outputs, 1});
  }

  double alpha_, temperature_;
  bool share_;
};

Parts mt_net_parts(const MtNetConfig& config, const MethodContext& context) {
  require_usage(
      context.inner.steps >= 1,
      "inner.steps: 0 found, expected 1 or more: transforms and masks are learned through inner steps");
  return {.network = transformed_layers(),
          .rule = masked_step(context.inner.step_size, config.temperature, config.share),
          .meta = [](const Params& network, Stream&) { return with_transforms(network); }};
}

}  // namespace

Tensor gumbel_mask(const Tensor& zeta, const Tensor& u, double temperature) {
  constexpr double kLeast = 1e-20;  // the code's
  const Tensor g = -torch::log(-torch::log(u + kLeast) + kLeast);
  const Tensor ahead = zeta + (g.select(0, 0) - g.select(0, 1));
  const Tensor soft = torch::sigmoid(ahead / temperature);
  const Tensor hard = ahead.detach().gt(0).to(soft.scalar_type());
  return hard - soft.detach() + soft;
}

std::shared_ptr<const UpdateRule> masked_step(double step_size, double temperature, bool share) {
  return std::make_shared<MaskedStep>(step_size, temperature, share);
}

Algorithm mt_net() {
  return gradient_algorithm({.name = "mt_net",
                             .paper = "Lee and Choi 2018, Alg. 2",
                             .summary = "T-net whose inner steps move a learned choice of outputs",
                             .exact = false},
                            mt_net_keys(), mt_net_parts);
}

}  // namespace innerloop
