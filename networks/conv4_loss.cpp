#include "networks/conv4_loss.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "networks/batch_norm.h"
#include "networks/conv4_passes.h"

namespace innerloop {
namespace {

using torch::Tensor;
constexpr size_t kStages = Conv4Plan::kStages;

// The network's entries of some Params, task by task.
class Conv4Entries {
 public:
  // Accepts [tasks, ...] of the network's shapes; what is not contiguous within a task is copied.
  Conv4Entries(const Conv4Config& config, int64_t features, int64_t tasks, torch::ScalarType dtype,
               const Params& params, const char* what) {
    const int64_t filters = config.filters;
    const auto take = [&](const std::string& name, std::vector<int64_t> shape) {
      const auto& value = params.at(name);
      names_.push_back(name);
      shape.insert(shape.begin(), tasks);
      require(
          value.sizes() == at::IntArrayRef(shape) && value.scalar_type() == dtype && value.device().is_cpu(),
          "conv4: ", what, " '", name, "' is ", value.scalar_type(), value.sizes(), " on ", value.device(),
          ", expected ", dtype, at::IntArrayRef(shape), " on cpu");
      return rows_contiguous(value) ? value : value.contiguous();
    };
    for (size_t l = 0; l < kStages; ++l) {
      const auto stage = static_cast<int64_t>(l + 1);
      kernels[l] =
          take(concat("conv", stage, ".weight"), {3, 3, l == 0 ? config.channels : filters, filters});
      if (config.scale) scales[l] = take(norm_name(stage, "weight"), {filters});
      shifts[l] = take(norm_name(stage, "bias"), {filters});
    }
    weight = take("linear.weight", {config.outputs, features});
    bias = take("linear.bias", {config.outputs});
  }

  template <class T>
  Conv4View<T> view(int64_t task) const {
    const auto at = [&](const Tensor& t) -> T* {
      return t.defined() ? t.data_ptr<std::remove_const_t<T>>() + task * t.stride(0) : nullptr;
    };
    Conv4View<T> out;
    for (size_t l = 0; l < kStages; ++l) {
      out.kernels[l] = at(kernels[l]);
      out.scales[l] = at(scales[l]);
      out.shifts[l] = at(shifts[l]);
    }
    out.weight = at(weight);
    out.bias = at(bias);
    return out;
  }

  bool has(const std::string& name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  }

  bool same_kernels() const {  // for all tasks
    for (const auto& k : kernels) {
      if (k.size(0) > 1 && k.stride(0) != 0) return false;
    }
    return true;
  }

 private:
  static bool rows_contiguous(const Tensor& t) {
    int64_t expected = 1;
    for (int64_t d = t.dim() - 1; d > 0; --d) {
      if (t.size(d) != 1 && t.stride(d) != expected) return false;
      expected *= t.size(d);
    }
    return true;
  }

  std::vector<std::string> names_;
  std::array<Tensor, kStages> kernels, scales, shifts;
  Tensor weight, bias;
};

void check_images(const Conv4Config& config, const Params& params, const Tensor& x) {
  require(x.dim() == 5 && x.size(0) == params.tasks() && x.size(1) >= 1 && x.size(2) == config.channels &&
              x.size(3) == config.height && x.size(4) == config.width,
          "conv4: images of shape ", x.sizes(), ", expected [", params.tasks(), ", N, ", config.channels,
          ", ", config.height, ", ", config.width, "]");
  require((x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kFloat64) && x.device().is_cpu(),
          "conv4: images are ", x.scalar_type(), " on ", x.device(), ", expected Float or Double on cpu");
}

template <class T>
std::shared_ptr<const Conv4Plan> plan_for(const Conv4Config& config, const Tensor& x) {
  const Conv4Geometry geometry{config.channels, config.height,   config.width,     config.filters,
                               config.outputs,  config.max_pool, config.mean_head, kBatchNormEpsilon};
  return conv4_plan(geometry, x.size(1), Conv4Passes<T>::pitch(config.filters), sizeof(T));
}

template <class T>
class Conv4Loss final : public LossAt {
 public:
  Conv4Loss(const Conv4Config& config, const Params& params, const Tensor& x, const OutputLoss& loss)
      : config_(config),
        params_(params.detached()),
        loss_(loss),
        tasks_(x.size(0)),
        plan_(plan_for<T>(config, x)),
        entries_(config, plan_->feature_count, tasks_, x.scalar_type(), params_, "parameter") {
    const Tensor images = x.detach().contiguous();
    output_ = torch::empty({tasks_, plan_->samples, config.outputs}, images.options());
    std::shared_ptr<Conv4Kernels<T>> kernels;
    for (int64_t t = 0; t < tasks_; ++t) {
      const auto view = entries_.view<const T>(t);
      if (!kernels || !entries_.same_kernels()) {
        kernels = std::make_shared<Conv4Kernels<T>>(*plan_, view.kernels);
      }
      auto& passes = passes_.emplace_back(plan_, task(images, t));
      passes.forward(view, kernels, task(output_, t));
    }
    at_ = loss_.at(output_);
    cotangent_ = at_.gradient.contiguous();
  }

  const Tensor& loss() override { return at_.loss; }

  const Params& gradient() override {
    if (gradient_.empty()) {
      const at::NoGradGuard no_graph;
      auto values = empty_gradient();
      const auto to = entries(values, "gradient");
      scratch_.emplace(*plan_);
      for (int64_t t = 0; t < tasks_; ++t) {
        passes_[static_cast<size_t>(t)].backward(task(cotangent_, t), to.template view<T>(t), *scratch_);
      }
      gradient_ = std::move(values);
    }
    return gradient_;
  }

  Params hessian_product(const Params& direction) override {
    gradient();
    const at::NoGradGuard no_graph;
    const auto along = entries(direction, "direction");
    auto values = empty_gradient();
    const auto to = entries(values, "product");
    if (!tangent_) tangent_.emplace(*plan_);
    auto moved = torch::empty({1, output_.size(1), output_.size(2)}, output_.options());
    std::optional<Conv4Kernels<T>> kernels;
    for (int64_t t = 0; t < tasks_; ++t) {
      auto& passes = passes_[static_cast<size_t>(t)];
      const auto view = along.template view<const T>(t);
      if (!kernels || !along.same_kernels()) {
        kernels.emplace(*plan_, view.kernels);
        kernels->transpose();
      }
      passes.tangent(view, *kernels, task(moved, 0), *tangent_, *scratch_);
      const Tensor second = loss_.second(of_task(t), moved).contiguous();
      passes.backward_tangent(view, *kernels, task(cotangent_, t), task(second, 0), to.template view<T>(t),
                              *tangent_, *scratch_);
    }
    return values;
  }

 private:
  static T* task(const Tensor& samples, int64_t t) { return samples.data_ptr<T>() + t * samples.stride(0); }

  Conv4Entries entries(const Params& params, const char* what) const {
    return {config_, plan_->feature_count, tasks_, output_.scalar_type(), params, what};
  }

  // Room for the network's entries, zeros for others.
  Params empty_gradient() const {
    std::vector<Tensor> values;
    for (const auto& entry : params_) {
      values.push_back(entries_.has(entry.name) ? torch::empty(entry.value.sizes(), entry.value.options())
                                                : torch::zeros(entry.value.sizes(), entry.value.options()));
    }
    return params_.with(std::move(values));
  }

  OutputLoss::At of_task(int64_t t) const {
    if (tasks_ == 1) return at_;
    OutputLoss::At out{at_.loss.narrow(0, t, 1), at_.gradient.narrow(0, t, 1), {}};
    if (at_.probabilities.defined()) out.probabilities = at_.probabilities.narrow(0, t, 1);
    return out;
  }

  Conv4Config config_;
  Params params_;
  OutputLoss loss_;
  int64_t tasks_;
  std::shared_ptr<const Conv4Plan> plan_;
  Conv4Entries entries_;
  std::vector<Conv4Passes<T>> passes_;
  Tensor output_, cotangent_;
  OutputLoss::At at_;
  Params gradient_;
  std::optional<Conv4Scratch<T>> scratch_;
  std::optional<Conv4Tangent<T>> tangent_;
};

template <class T>
Tensor output_of(const Conv4Config& config, const Params& params, const Tensor& x, const Normalisation& how) {
  const int64_t tasks = x.size(0), filters = config.filters;
  const auto plan = plan_for<T>(config, x);
  const Conv4Entries entries(config, plan->feature_count, tasks, x.scalar_type(), params, "parameter");
  const Tensor images = x.detach().contiguous();
  const Tensor output = torch::empty({tasks, plan->samples, config.outputs}, images.options());
  std::array<Tensor, kStages> used_means, used_variances, found_means, found_variances;
  for (size_t l = 0; l < kStages; ++l) {
    const auto stage = static_cast<int64_t>(l + 1);
    if (how.use != nullptr) {  // [1, filters]: shared by all tasks
      used_means[l] = how.use->at(norm_name(stage, "mean")).detach().expand({tasks, filters}).contiguous();
      used_variances[l] =
          how.use->at(norm_name(stage, "variance")).detach().expand({tasks, filters}).contiguous();
    }
    if (how.found != nullptr) {
      found_means[l] = torch::empty({tasks, filters}, images.options());
      found_variances[l] = torch::empty({tasks, filters}, images.options());
    }
  }
  std::shared_ptr<Conv4Kernels<T>> kernels;
  for (int64_t t = 0; t < tasks; ++t) {
    const auto view = entries.view<const T>(t);
    if (!kernels || !entries.same_kernels()) kernels = std::make_shared<Conv4Kernels<T>>(*plan, view.kernels);
    Conv4Statistics<const T> use;
    Conv4Statistics<T> found;
    for (size_t l = 0; l < kStages; ++l) {
      if (how.use != nullptr) {
        use.means[l] = used_means[l].template data_ptr<T>() + t * filters;
        use.variances[l] = used_variances[l].template data_ptr<T>() + t * filters;
      }
      if (how.found != nullptr) {
        found.means[l] = found_means[l].template data_ptr<T>() + t * filters;
        found.variances[l] = found_variances[l].template data_ptr<T>() + t * filters;
      }
    }
    Conv4Passes<T> passes(plan, images.template data_ptr<T>() + t * images.stride(0));
    passes.forward(view, kernels, output.template data_ptr<T>() + t * output.stride(0),
                   how.use != nullptr ? &use : nullptr, how.found != nullptr ? &found : nullptr);
  }
  if (how.found != nullptr) {
    std::vector<Params::Entry> statistics;
    for (size_t l = 0; l < kStages; ++l) {
      const auto stage = static_cast<int64_t>(l + 1);
      statistics.push_back({norm_name(stage, "mean"), found_means[l]});
      statistics.push_back({norm_name(stage, "variance"), found_variances[l]});
    }
    *how.found = Params(std::move(statistics));
  }
  return output;
}

}  // namespace

std::unique_ptr<LossAt> conv4_loss(const Conv4Config& config, const Params& params, const Tensor& x,
                                   const OutputLoss& loss) {
  const at::NoGradGuard no_graph;
  check_images(config, params, x);
  if (x.scalar_type() == torch::kFloat32) {
    return std::make_unique<Conv4Loss<float>>(config, params, x, loss);
  }
  return std::make_unique<Conv4Loss<double>>(config, params, x, loss);
}

Tensor conv4_output(const Conv4Config& config, const Params& params, const Tensor& x,
                    const Normalisation& normalisation) {
  const at::NoGradGuard no_graph;
  check_images(config, params, x);
  if (x.scalar_type() == torch::kFloat32) return output_of<float>(config, params, x, normalisation);
  return output_of<double>(config, params, x, normalisation);
}

}  // namespace innerloop
