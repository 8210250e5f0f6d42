#include "networks/conv4_linearization.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "networks/batch_norm.h"
#include "networks/kernels/conv4_passes.h"
#include "networks/seen.h"
#include "networks/tensors/elementwise.h"

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
      given_.push_back({name, value});
      shape.insert(shape.begin(), tasks);
      require(
          value.sizes() == at::IntArrayRef(shape) && value.scalar_type() == dtype && value.device().is_cpu(),
          "conv4: ", what, " '", name, "' is ", value.scalar_type(), value.sizes(), " on ", value.device(),
          ", expected ", dtype, at::IntArrayRef(shape), " on cpu");
      const auto plain = value.requires_grad() ? value.detach() : value;
      return rows_contiguous(plain) ? plain : plain.contiguous();
    };
    for (size_t l = 0; l < kStages; ++l) {
      const auto stage = static_cast<int64_t>(l + 1);
      kernels[l] =
          take(concat("conv", stage, ".weight"), {3, 3, l == 0 ? config.channels : filters, filters});
      if (config.scale) scales[l] = take(norm_name(stage, "weight"), {filters});
      shifts[l] = take(norm_name(stage, "bias"), {filters});
    }
    if (config.outputs == 0) return;
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

  // What was given, in the network's order.
  const std::vector<Params::Entry>& given() const { return given_; }
  std::vector<Tensor> given_tensors() const {
    std::vector<Tensor> tensors;
    for (const auto& entry : given_) tensors.push_back(entry.value);
    return tensors;
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

  std::vector<Params::Entry> given_;
  std::array<Tensor, kStages> kernels, scales, shifts;
  Tensor weight, bias;
};

void check_images(const Conv4Config& config, const Params& params, const Tensor& x) {
  require(x.dim() == 5 && x.size(0) == params.tasks() && x.size(1) >= 1 && x.size(2) == config.channels &&
              x.size(3) == config.height && x.size(4) == config.width,
          "conv4: images of shape ", x.sizes(), ", expected [", params.tasks(), ", N, ", config.channels,
          ", ", config.height, ", ", config.width, "]");
  require(fits_kernels(x), "conv4: images are ", x.scalar_type(), " on ", x.device(),
          ", expected Float or Double on cpu");
}

template <class T>
std::shared_ptr<const Conv4Plan> plan_for(const Conv4Config& config, const Tensor& x) {
  const Conv4Geometry geometry{config.channels, config.height,   config.width,     config.filters,
                               config.outputs,  config.max_pool, config.mean_head, kBatchNormEpsilon};
  return conv4_plan(geometry, x.size(1), Conv4Passes<T>::pitch(config.filters), sizeof(T));
}

// Numbers of a sample's output: those of the linear layer, or without one its features.
int64_t columns(const Conv4Config& config, const Conv4Plan& plan) {
  return config.outputs == 0 ? plan.feature_count : config.outputs;
}

template <class T>
class Conv4Linearization final : public Linearization {
 public:
  Conv4Linearization(const Conv4Config& config, const Params& params, const Tensor& x)
      : config_(config),
        tasks_(x.size(0)),
        plan_(plan_for<T>(config, x)),
        entries_(config, plan_->feature_count, tasks_, x.scalar_type(), params, "parameter"),
        like_(Params(entries_.given()).detached()) {
    const Tensor images = x.detach().contiguous();
    output_ = torch::empty({tasks_, plan_->samples, columns(config, *plan_)}, images.options());
    std::shared_ptr<Conv4Kernels<T>> kernels;
    for (int64_t t = 0; t < tasks_; ++t) {
      const auto view = entries_.view<const T>(t);
      if (!kernels || !entries_.same_kernels()) {
        kernels = std::make_shared<Conv4Kernels<T>>(*plan_, view.kernels);
      }
      auto& passes = passes_.emplace_back(plan_, task(images, t));
      passes.forward(view, kernels, task(output_, t));
    }
  }

  const Tensor& output() const override { return output_; }

  Params pullback(const Tensor& c) override {
    const at::NoGradGuard no_graph;
    auto values = empty_gradient();
    const auto to = entries(values, "gradient");
    cotangent_ = checked(c, "cotangent");
    for (int64_t t = 0; t < tasks_; ++t) {
      passes_[static_cast<size_t>(t)].backward(task(cotangent_, t), to.template view<T>(t), scratch());
    }
    last_cotangent_.remember(c);
    return values;
  }

  Tensor pushforward(const Params& v) override {
    const at::NoGradGuard no_graph;
    return push(entries(v, "direction"));
  }

  Params pullback_tangent(const Params& v, const Tensor& c, const Tensor& ct) override {
    const at::NoGradGuard no_graph;
    auto along = entries(v, "direction");
    if (!last_direction_.matches(along.given_tensors())) push(std::move(along));
    if (!last_cotangent_.matches(c)) pullback(c);  // for what backward() keeps
    const Tensor second = checked(ct, "cotangent tangent");
    auto values = empty_gradient();
    const auto to = entries(values, "product");
    for (int64_t t = 0; t < tasks_; ++t) {
      auto& tangent = tangents_[static_cast<size_t>(t)];
      tangent.kernels->transpose();
      passes_[static_cast<size_t>(t)].backward_tangent(along_->template view<const T>(t), *tangent.kernels,
                                                       task(cotangent_, t), task(second, t),
                                                       to.template view<T>(t), *tangent.buffers, scratch());
    }
    return values;
  }

 private:
  // A task's forward tangent. Kernels are shared where the direction's are.
  struct Tangent {
    std::unique_ptr<Conv4Tangent<T>> buffers;
    std::shared_ptr<Conv4Kernels<T>> kernels;
  };

  static T* task(const Tensor& samples, int64_t t) { return samples.data_ptr<T>() + t * samples.stride(0); }

  Conv4Entries entries(const Params& params, const char* what) const {
    return {config_, plan_->feature_count, tasks_, output_.scalar_type(), params, what};
  }

  Tensor checked(const Tensor& samples, const char* what) const {
    require(samples.sizes() == output_.sizes() && samples.scalar_type() == output_.scalar_type() &&
                samples.device().is_cpu(),
            "conv4: ", what, " is ", samples.scalar_type(), samples.sizes(), " on ", samples.device(),
            ", expected ", output_.scalar_type(), output_.sizes(), " on cpu");
    return samples.detach().contiguous();
  }

  Params empty_gradient() const {
    return like_.map([](const Tensor& t) { return empty_tensor(t.sizes(), t.scalar_type()); });
  }

  Conv4Scratch<T>& scratch() { return scratch_ ? *scratch_ : scratch_.emplace(*plan_); }

  Tensor push(Conv4Entries along) {
    along_.emplace(std::move(along));
    tangents_.resize(static_cast<size_t>(tasks_));
    const Tensor moved = torch::empty(output_.sizes(), output_.options());
    std::shared_ptr<Conv4Kernels<T>> kernels;
    for (int64_t t = 0; t < tasks_; ++t) {
      const auto view = along_->template view<const T>(t);
      if (!kernels || !along_->same_kernels()) {
        kernels = std::make_shared<Conv4Kernels<T>>(*plan_, view.kernels);
      }
      auto& tangent = tangents_[static_cast<size_t>(t)];
      tangent.kernels = kernels;
      if (!tangent.buffers) tangent.buffers = std::make_unique<Conv4Tangent<T>>(*plan_);
      passes_[static_cast<size_t>(t)].tangent(view, *kernels, task(moved, t), *tangent.buffers, scratch());
    }
    last_direction_.remember(along_->given_tensors());
    return moved;
  }

  Conv4Config config_;
  int64_t tasks_;
  std::shared_ptr<const Conv4Plan> plan_;
  Conv4Entries entries_;
  Params like_;
  std::vector<Conv4Passes<T>> passes_;
  Tensor output_;
  std::optional<Conv4Scratch<T>> scratch_;
  Tensor cotangent_;                   // of the last backward pass
  std::optional<Conv4Entries> along_;  // the last direction
  std::vector<Tangent> tangents_;      // of every task, along it
  Seen last_direction_, last_cotangent_;
};

template <class T>
Tensor output_of(const Conv4Config& config, const Params& params, const Tensor& x, const Pass& how) {
  const int64_t tasks = x.size(0), filters = config.filters;
  const auto plan = plan_for<T>(config, x);
  const Conv4Entries entries(config, plan->feature_count, tasks, x.scalar_type(), params, "parameter");
  const Tensor images = x.detach().contiguous();
  const Tensor output = torch::empty({tasks, plan->samples, columns(config, *plan)}, images.options());
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

std::unique_ptr<Linearization> conv4_linearization(const Conv4Config& config, const Params& params,
                                                   const Tensor& x) {
  const at::NoGradGuard no_graph;
  check_images(config, params, x);
  if (x.scalar_type() == torch::kFloat32)
    return std::make_unique<Conv4Linearization<float>>(config, params, x);
  return std::make_unique<Conv4Linearization<double>>(config, params, x);
}

Tensor conv4_output(const Conv4Config& config, const Params& params, const Tensor& x, const Pass& pass) {
  const at::NoGradGuard no_graph;
  check_images(config, params, x);
  if (x.scalar_type() == torch::kFloat32) return output_of<float>(config, params, x, pass);
  return output_of<double>(config, params, x, pass);
}

}  // namespace innerloop
