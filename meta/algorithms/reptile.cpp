#include "meta/algorithms/reptile.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "meta/algorithms/support_batches.h"
#include "meta/gradient_algorithm.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct ReptileConfig {
  std::string optimizer = "adam";
  int64_t mini_batch = 0;
  int64_t evaluation_mini_batch = 0;
  bool last_gradient_only = false;
};

const Keys<ReptileConfig>& reptile_keys() {
  constexpr int64_t kMostSamples = 1'000'000;
  static const Keys<ReptileConfig> list{
      keys::choice("optimizer", &ReptileConfig::optimizer, {"adam", "sgd"}, "of the inner steps"),
      keys::whole("mini_batch", &ReptileConfig::mini_batch, 0, kMostSamples,
                  "support samples that an inner step of training sees, 0 = all"),
      keys::whole("evaluation_mini_batch", &ReptileConfig::evaluation_mini_batch, 0, kMostSamples,
                  "the same for held-out tasks"),
      keys::truth("last_gradient_only", &ReptileConfig::last_gradient_only,
                  "move by the last inner step alone instead of by all of them")};
  return list;
}

class AdamWithoutMomentum : public UpdateRule {
 public:
  explicit AdamWithoutMomentum(double step_size) : alpha_(step_size) {
    require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
  }

  double step_size() const override { return alpha_; }

  Params initial_state(const Params&, const Params& phi) const override { return phi.zeros_like(); }

  Out update(const In& in) const override {
    // Below any square that matters; the root has no derivative at 0, where the units that never fire are.
    constexpr double kLeast = 1e-36;
    const double rate = in.scale * alpha_ * std::sqrt(1 - std::pow(kBeta2, static_cast<double>(in.step + 1)));
    std::vector<Tensor> phi, v;
    for (size_t i = 0; i < in.phi.size(); ++i) {
      auto next = rms_step(in.phi[i], in.gradient[i], in.state[i], kBeta2, rate, kLeast, kEpsilon);
      phi.push_back(std::move(next.x));
      v.push_back(std::move(next.v));
    }
    return {in.phi.with(std::move(phi)), in.state.with(std::move(v))};
  }

 private:
  static constexpr double kBeta2 = 0.999, kEpsilon = 1e-8;
  double alpha_;
};

// theta - phi_K, or phi_{K-1} - phi_K, as a cotangent on phi_0, which the core brings to theta through the
// initialisation alone.
class Displacement : public MetaObjective {
 public:
  explicit Displacement(bool last_step_only) : last_step_only_(last_step_only) {}

  At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    const int64_t steps = adaptation.steps();
    At out{value(adaptation, task, now), {}};
    out.cotangents.resize(static_cast<size_t>(steps) + 1);
    out.cotangents.front() = adaptation.phi(last_step_only_ ? steps - 1 : 0) - adaptation.adapted();
    out.second_order = false;
    return out;
  }

  Tensor value(const Adaptation& adaptation, const Task& task, const Moment&) const override {
    return task.value(Part::kQuery, adaptation.adapted(), adaptation.steps());
  }

 private:
  bool last_step_only_;
};

Parts reptile_parts(const ReptileConfig& config, const MethodContext& context) {
  require_usage(context.inner.steps > 0, "inner.steps: ", context.inner.steps,
                " found, expected 1 or more: reptile moves to where inner steps lead");
  Parts out;
  if (config.optimizer == "adam") out.rule = adam_without_momentum(context.inner.step_size);
  out.objective = displacement(config.last_gradient_only);
  const std::pair<const char*, int64_t> mini_batches[] = {
      {"mini_batch", config.mini_batch}, {"evaluation_mini_batch", config.evaluation_mini_batch}};
  for (const auto& [key, samples] : mini_batches) {
    if (samples == 0) continue;
    require_usage(context.network != nullptr, "reptile.", key, ": ", samples,
                  " found, expected 0: an inner step of a policy takes all trajectories of the task");
    out.view = [config](const Task& task, const Moment& now) -> std::unique_ptr<Task> {
      const auto& tasks = dynamic_cast<const EpisodeTask&>(task);
      const int64_t size = now.training ? config.mini_batch : config.evaluation_mini_batch;
      SupportChoice choice;
      if (size > 0) {
        choice = [now, size, support = tasks.episodes().support_x.size(1)](int64_t t, int64_t step) {
          return mini_batch(now.stream(t), support, size, step);
        };
      }
      return support_batches(tasks, std::move(choice));
    };
  }
  return out;
}

}  // namespace

std::shared_ptr<const UpdateRule> adam_without_momentum(double step_size) {
  return std::make_shared<AdamWithoutMomentum>(step_size);
}

std::shared_ptr<const MetaObjective> displacement(bool last_step_only) {
  return std::make_shared<Displacement>(last_step_only);
}

std::vector<int64_t> mini_batch(Stream stream, int64_t samples, int64_t size, int64_t step) {
  std::vector<int64_t> order(static_cast<size_t>(samples)), out;
  std::iota(order.begin(), order.end(), 0);
  const int64_t first = step * size, last = first + size;
  for (int64_t pass = 0; pass < last; pass += samples) {
    for (size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
    for (int64_t i = std::max(first, pass); i < std::min(last, pass + samples); ++i) {
      out.push_back(order[static_cast<size_t>(i - pass)]);
    }
  }
  return out;
}

Algorithm reptile() {
  return gradient_algorithm({.name = "reptile",
                             .paper = "Nichol et al. 2018, Alg. 2",
                             .summary = "the initialisation moves towards the adapted parameters",
                             .prescribes = {{"inner.first_order", "true"}, {"meta.optimizer", "sgd"}},
                             .exact = false},
                            reptile_keys(), reptile_parts);
}

}  // namespace innerloop
