#include "meta/algorithms/baseline_finetune.h"

#include <cmath>

#include "base/error.h"
#include "base/row.h"
#include "datasets/dataset.h"
#include "meta/algorithms/all_classes.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct BaselineFinetuneConfig {
  double step_size = 0.01;  // alpha
  double decay = 0;
  std::string adapt = "all";
  bool random_head = true;
};

const Keys<BaselineFinetuneConfig>& baseline_finetune_keys() {
  using C = BaselineFinetuneConfig;
  constexpr keys::Interval kRate{0, 1e6, true, false, "a number above 0 and at most 1000000"};
  constexpr keys::Interval kDecay{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<C> list{
      keys::free(keys::number("step_size", &C::step_size, kRate, "alpha of the first step")),
      keys::free(
          keys::number("decay", &C::decay, kDecay, "step k = 0, 1, ... has the size alpha / (1 + k decay)")),
      keys::free(keys::choice("adapt", &C::adapt, {"all", "head"},
                              "what a held-out task changes: the network, or its last layer")),
      keys::free(keys::spelled("head", &C::random_head, {{"random", true}, {"zero", false}},
                               "the new last layer of a held-out task"))};
  return list;
}

class BaselineFinetuneStep : public UpdateRule {
 public:
  BaselineFinetuneStep(double step_size, double decay) : alpha_(step_size), decay_(decay) {}

  double step_size() const override { return decay_ == 0 ? alpha_ : UpdateRule::step_size(); }

  Out update(const In& in) const override {
    const double rate = in.scale * alpha_ / (1 + static_cast<double>(in.step) * decay_);
    return {in.phi - rate * in.gradient, {}};
  }

 private:
  double alpha_, decay_;
};

Params baseline_finetune_head(const Params& shapes) {
  const auto features = static_cast<double>(shapes[0].size(2));  // weight [1, outputs, F]
  Stream stream(StreamKey{.purpose = Purpose::kInitialParameters});
  return shapes.map([&](const Tensor& shape) {
    Tensor out = torch::empty(shape.sizes(), torch::kFloat32);
    float* to = out.data_ptr<float>();
    const double most = 1 / std::sqrt(features);
    for (int64_t i = 0; i < out.numel(); ++i) to[i] = static_cast<float>(stream.uniform(-most, most));
    return out;
  });
}

}  // namespace

Algorithm baseline_finetune() {
  return {.name = "baseline_finetune",
          .paper = "Ravi and Larochelle 2017, section 5.1",
          .summary = "one classifier of all training classes, fine-tuned with a new last layer",
          .prescribes = {{"inner.steps", "0"}, {"inner.adapt", "all"}},
          .keys = baseline_finetune_keys().list(),
          .method = [](const Texts& own, const MethodContext& given) -> std::unique_ptr<Method> {
            const auto config =
                baseline_finetune_keys().read(own, "algorithm baseline_finetune", "baseline_finetune");
            require_usage(given.dataset->spec().classification,
                          "algorithm baseline_finetune needs classes; the data set ",
                          given.dataset->spec().name, " has none");
            MethodContext context = given;
            context.inner.adapt = config.adapt;
            Parts parts{.rule = std::make_shared<BaselineFinetuneStep>(config.step_size, config.decay)};
            return std::make_unique<FineTuned>(
                context, std::move(parts),
                config.random_head ? baseline_finetune_head
                                   : [](const Params& shapes) { return shapes.zeros_like(); });
          }};
}

}  // namespace innerloop
