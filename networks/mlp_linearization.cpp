#include "networks/mlp_linearization.h"

#include "base/error.h"
#include "networks/mlp_panels.h"

namespace innerloop {
namespace {

// Tensors seen before are recognised as the same objects, not written to since.
class Seen {
 public:
  bool matches(const std::vector<torch::Tensor>& tensors) const {
    if (tensors.size() != tensors_.size()) return false;
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].is_inference() || !tensors[i].is_same(tensors_[i])) return false;
      if (version(tensors[i]) != versions_[i]) return false;
    }
    return true;
  }
  void remember(const std::vector<torch::Tensor>& tensors) {
    tensors_ = tensors;
    versions_.clear();
    for (const auto& t : tensors) versions_.push_back(t.is_inference() ? -1 : version(t));
  }

 private:
  static int64_t version(const torch::Tensor& t) { return static_cast<int64_t>(t._version()); }

  std::vector<torch::Tensor> tensors_;
  std::vector<int64_t> versions_;
};

std::vector<int64_t> layer_units(const Mlp& network) {
  const auto& config = network.config();
  std::vector<int64_t> units{config.inputs};
  units.insert(units.end(), config.hidden.begin(), config.hidden.end());
  units.push_back(config.outputs);
  return units;
}

// MlpPanels of one task behind its element type and activation. Entries are [tasks, ...] lists as
// network_entries gives them; samples are contiguous [tasks, N, ...].
class TaskPasses {
 public:
  virtual ~TaskPasses() = default;
  virtual void pushforward(const std::vector<torch::Tensor>& direction, torch::Tensor& output_tangent) = 0;
  virtual void pullback(const torch::Tensor& cotangent, std::vector<torch::Tensor>& gradient) const = 0;
  virtual void keep_cotangent(const torch::Tensor& cotangent) = 0;
  virtual void pullback_tangent(const std::vector<torch::Tensor>& direction,
                                const torch::Tensor& cotangent_tangent,
                                std::vector<torch::Tensor>& gradient) const = 0;
};

template <class T, bool kTanh>
class TypedTaskPasses final : public TaskPasses {
 public:
  TypedTaskPasses(const Mlp& network, const std::vector<torch::Tensor>& weights, const torch::Tensor& x,
                  int64_t task, bool keep, torch::Tensor& output)
      : task_(task),
        panels_(layer_units(network), Views<const T>(weights, task), slice(x), x.size(1), keep,
                slice(output)) {}

  void pushforward(const std::vector<torch::Tensor>& direction, torch::Tensor& output_tangent) override {
    panels_.pushforward(Views<const T>(direction, task_), slice(output_tangent));
  }
  void pullback(const torch::Tensor& cotangent, std::vector<torch::Tensor>& gradient) const override {
    panels_.pullback(slice(cotangent), Views<T>(gradient, task_));
  }
  void keep_cotangent(const torch::Tensor& cotangent) override { panels_.keep_cotangent(slice(cotangent)); }
  void pullback_tangent(const std::vector<torch::Tensor>& direction, const torch::Tensor& cotangent_tangent,
                        std::vector<torch::Tensor>& gradient) const override {
    panels_.pullback_tangent(Views<const T>(direction, task_), slice(cotangent_tangent),
                             Views<T>(gradient, task_));
  }

 private:
  // Entries of one task as the kernels take them; a slice that is not contiguous is copied for as long as
  // this lives.
  template <class U>
  class Views {
   public:
    Views(const std::vector<torch::Tensor>& entries, int64_t task) {
      for (const auto& entry : entries) held_.push_back(entry.select(0, task).contiguous());
      for (size_t i = 0; i < held_.size(); i += 2) layers_.push_back({data(held_[i]), data(held_[i + 1])});
    }
    operator const LayerViews<U>&() const { return layers_; }

   private:
    static T* data(const torch::Tensor& t) { return t.data_ptr<T>(); }
    std::vector<torch::Tensor> held_;
    LayerViews<U> layers_;
  };

  T* slice(const torch::Tensor& samples) const {
    return samples.data_ptr<T>() + task_ * samples.size(1) * samples.size(2);
  }

  int64_t task_;
  MlpPanels<T, kTanh> panels_;
};

std::unique_ptr<TaskPasses> task_passes(const Mlp& network, const std::vector<torch::Tensor>& weights,
                                        const torch::Tensor& x, int64_t task, bool keep,
                                        torch::Tensor& output) {
  const auto make = [&]<class T, bool kTanh>() -> std::unique_ptr<TaskPasses> {
    return std::make_unique<TypedTaskPasses<T, kTanh>>(network, weights, x, task, keep, output);
  };
  const bool tanh = network.config().activation == Activation::kTanh;
  if (x.scalar_type() == torch::kFloat32) {
    return tanh ? make.template operator()<float, true>() : make.template operator()<float, false>();
  }
  return tanh ? make.template operator()<double, true>() : make.template operator()<double, false>();
}

}  // namespace

struct MlpLinearization::State {
  State(const Mlp& mlp, const Params& params, const torch::Tensor& input, bool keep) : network(mlp) {
    const at::NoGradGuard no_graph;
    const auto units = layer_units(network);
    require(input.dim() == 3, "mlp: x is ", input.sizes(), ", expected [tasks, samples, inputs]");
    dtype = input.scalar_type();
    require(dtype == torch::kFloat32 || dtype == torch::kFloat64, "mlp: x is ", dtype,
            ", expected Float or Double");
    tasks = input.size(0);
    samples = input.size(1);
    const auto x = checked(input, units.front(), "x");
    const auto weights = entries(params, "parameter");
    output = torch::empty({tasks, samples, units.back()}, x.options());
    for (int64_t t = 0; t < tasks; ++t) {
      auto one = task_passes(network, weights, x, t, keep, output);
      if (keep) passes.push_back(std::move(one));
    }
  }

  torch::Tensor checked(const torch::Tensor& value, int64_t width, const char* what) const {
    const std::vector<int64_t> shape{tasks, samples, width};
    require(
        value.sizes() == at::IntArrayRef(shape) && value.scalar_type() == dtype && value.device().is_cpu(),
        "mlp: ", what, " is ", value.scalar_type(), value.sizes(), " on ", value.device(), ", expected ",
        dtype, at::IntArrayRef(shape), " on cpu");
    return value.detach().contiguous();
  }

  // The network's entries: weight, bias, weight, ... each [tasks, ...].
  std::vector<torch::Tensor> entries(const Params& params, const char* what) const {
    const auto units = layer_units(network);
    std::vector<torch::Tensor> out;
    for (const auto& name : network.parameter_names()) {
      const size_t l = out.size() / 2;
      const auto& value = params.at(name);
      std::vector<int64_t> shape{tasks, units[l + 1]};
      if (out.size() % 2 == 0) shape.push_back(units[l]);
      require(
          value.sizes() == at::IntArrayRef(shape) && value.scalar_type() == dtype && value.device().is_cpu(),
          "mlp: ", what, " '", name, "' is ", value.scalar_type(), value.sizes(), " on ", value.device(),
          ", expected ", dtype, at::IntArrayRef(shape), " on cpu");
      out.push_back(value);
    }
    return out;
  }

  std::vector<torch::Tensor> zero_gradient() const {
    const auto units = layer_units(network);
    std::vector<torch::Tensor> out;
    for (size_t l = 0; l < network.layers(); ++l) {
      out.push_back(torch::zeros({tasks, units[l + 1], units[l]}, output.options()));
      out.push_back(torch::zeros({tasks, units[l + 1]}, output.options()));
    }
    return out;
  }

  Params named(std::vector<torch::Tensor> gradient) const {
    const auto names = network.parameter_names();
    std::vector<Params::Entry> out;
    for (size_t i = 0; i < names.size(); ++i) out.push_back({names[i], std::move(gradient[i])});
    return Params(std::move(out));
  }

  torch::Tensor pushforward(const std::vector<torch::Tensor>& direction) {
    auto tangent = torch::empty_like(output);
    for (auto& one : passes) one->pushforward(direction, tangent);
    last_direction.remember(direction);
    return tangent;
  }

  Mlp network;
  torch::ScalarType dtype;
  int64_t tasks, samples;
  torch::Tensor output;
  std::vector<std::unique_ptr<TaskPasses>> passes;
  Seen last_direction, last_cotangent;  // what the tangents and the backward pass kept in `passes` belong to
};

MlpLinearization::MlpLinearization(const Mlp& network, const Params& params, const torch::Tensor& x)
    : state_(std::make_unique<State>(network, params, x, /*keep=*/true)) {}

MlpLinearization::~MlpLinearization() = default;

const torch::Tensor& MlpLinearization::output() const { return state_->output; }

Params MlpLinearization::pullback(const torch::Tensor& cotangent) const {
  const at::NoGradGuard no_graph;
  const auto c = state_->checked(cotangent, state_->output.size(2), "cotangent");
  auto gradient = state_->zero_gradient();
  for (const auto& one : state_->passes) one->pullback(c, gradient);
  return state_->named(std::move(gradient));
}

torch::Tensor MlpLinearization::pushforward(const Params& direction) const {
  const at::NoGradGuard no_graph;
  return state_->pushforward(state_->entries(direction, "direction"));
}

Params MlpLinearization::pullback_tangent(const Params& direction, const torch::Tensor& cotangent,
                                          const torch::Tensor& cotangent_tangent) const {
  const at::NoGradGuard no_graph;
  const int64_t outputs = state_->output.size(2);
  const auto along = state_->entries(direction, "direction");
  if (!state_->last_direction.matches(along)) state_->pushforward(along);
  if (!state_->last_cotangent.matches({cotangent})) {
    const auto c = state_->checked(cotangent, outputs, "cotangent");
    for (auto& one : state_->passes) one->keep_cotangent(c);
    state_->last_cotangent.remember({cotangent});
  }
  const auto ct = state_->checked(cotangent_tangent, outputs, "cotangent tangent");
  auto gradient = state_->zero_gradient();
  for (const auto& one : state_->passes) one->pullback_tangent(along, ct, gradient);
  return state_->named(std::move(gradient));
}

torch::Tensor mlp_output(const Mlp& network, const Params& params, const torch::Tensor& x) {
  return MlpLinearization::State(network, params, x, /*keep=*/false).output;
}

}  // namespace innerloop
