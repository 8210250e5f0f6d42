#include "networks/mlp_linearization.h"

#include "base/error.h"
#include "networks/mlp_passes.h"
#include "networks/seen.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

bool in_a_graph(const Params& params) {
  for (const auto& entry : params) {
    if (entry.value.requires_grad()) return true;
  }
  return false;
}

std::vector<int64_t> layer_units(const Mlp& network) {
  const auto& config = network.config();
  std::vector<int64_t> units{config.inputs};
  units.insert(units.end(), config.hidden.begin(), config.hidden.end());
  units.push_back(config.outputs);
  return units;
}

}  // namespace

struct MlpLinearization::State {
  State(const Mlp& network, const Params& params, const torch::Tensor& input, bool keep, bool borrow)
      : units(layer_units(network)), names(network.parameter_names()) {
    const at::NoGradGuard no_graph;
    require(input.dim() == 3, "mlp: x is ", input.sizes(), ", expected [tasks, samples, inputs]");
    dtype = input.scalar_type();
    require(dtype == torch::kFloat32 || dtype == torch::kFloat64, "mlp: x is ", dtype,
            ", expected Float or Double");
    tasks = input.size(0);
    samples = input.size(1);
    const auto x = checked(input, units.front(), "x");
    const auto weights =
        in_a_graph(params) ? entries(params.detached(), "parameter") : entries(params, "parameter");
    output = empty_tensor({tasks, samples, units.back()}, dtype);
    const bool tanh = network.config().activation == Activation::kTanh;
    passes = make_mlp_passes(units, tanh, weights, x, keep, borrow, output);
  }

  // T tasks' values of this shape on the CPU.
  void require_shape(const torch::Tensor& value, at::IntArrayRef shape, const char* what,
                     const std::string& name = "") const {
    if (value.sizes() == shape && value.scalar_type() == dtype && value.device().is_cpu()) return;
    throw Error(concat("mlp: ", what, name.empty() ? "" : " '", name, name.empty() ? "" : "'", " is ",
                       value.scalar_type(), value.sizes(), " on ", value.device(), ", expected ", dtype,
                       shape, " on cpu"));
  }

  torch::Tensor checked(const torch::Tensor& value, int64_t width, const char* what) const {
    require_shape(value, {tasks, samples, width}, what);
    return (value.requires_grad() ? value.detach() : value).contiguous();
  }

  // The network's entries: weight, bias, weight, ... each [tasks, ...].
  std::vector<torch::Tensor> entries(const Params& params, const char* what) const {
    std::vector<torch::Tensor> out;
    out.reserve(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      const bool in_place = i < params.size() && params.name(i) == names[i];
      const auto& value = in_place ? params[i] : params.at(names[i]);
      if (i % 2 == 0) {
        require_shape(value, {tasks, units[i / 2 + 1], units[i / 2]}, what, names[i]);
      } else {
        require_shape(value, {tasks, units[i / 2 + 1]}, what, names[i]);
      }
      out.push_back(value);
    }
    return out;
  }

  std::vector<torch::Tensor> new_gradient() const {
    std::vector<torch::Tensor> out;
    out.reserve(names.size());
    for (size_t l = 0; l + 1 < units.size(); ++l) {
      out.push_back(empty_tensor({tasks, units[l + 1], units[l]}, dtype));
      out.push_back(empty_tensor({tasks, units[l + 1]}, dtype));
    }
    if (passes->adds()) {
      for (auto& value : out) value.zero_();
    }
    return out;
  }

  Params named(std::vector<torch::Tensor> gradient) const {
    std::vector<Params::Entry> out;
    out.reserve(names.size());
    for (size_t i = 0; i < names.size(); ++i) out.push_back({names[i], std::move(gradient[i])});
    return Params(std::move(out));
  }

  torch::Tensor pushforward(const std::vector<torch::Tensor>& direction) {
    auto tangent = empty_tensor(output.sizes(), dtype);
    passes->pushforward(direction, tangent);
    last_direction.remember(direction);
    return tangent;
  }

  std::vector<int64_t> units;  // inputs, hidden sizes, outputs
  std::vector<std::string> names;
  torch::ScalarType dtype;
  int64_t tasks, samples;
  torch::Tensor output;
  std::unique_ptr<MlpPasses> passes;
  Seen last_direction, last_cotangent;  // what the tangents and the backward pass kept in `passes` belong to
};

MlpLinearization::MlpLinearization(const Mlp& network, const Params& params, const torch::Tensor& x,
                                   bool borrow)
    : state_(std::make_unique<State>(network, params, x, /*keep=*/true, borrow)) {}

MlpLinearization::~MlpLinearization() = default;

const torch::Tensor& MlpLinearization::output() const { return state_->output; }

Params MlpLinearization::pullback(const torch::Tensor& cotangent) {
  const at::NoGradGuard no_graph;
  const auto c = state_->checked(cotangent, state_->output.size(2), "cotangent");
  auto gradient = state_->new_gradient();
  if (state_->passes->pullback(c, gradient)) state_->last_cotangent.remember(cotangent);
  return state_->named(std::move(gradient));
}

torch::Tensor MlpLinearization::pushforward(const Params& direction) {
  const at::NoGradGuard no_graph;
  return state_->pushforward(state_->entries(direction, "direction"));
}

Params MlpLinearization::pullback_tangent(const Params& direction, const torch::Tensor& cotangent,
                                          const torch::Tensor& cotangent_tangent) {
  const at::NoGradGuard no_graph;
  const int64_t outputs = state_->output.size(2);
  const auto along = state_->entries(direction, "direction");
  if (!state_->last_direction.matches(along)) state_->pushforward(along);
  if (!state_->last_cotangent.matches(cotangent)) {
    const auto c = state_->checked(cotangent, outputs, "cotangent");
    state_->passes->keep_cotangent(c);
    state_->last_cotangent.remember(cotangent);
  }
  const auto ct = state_->checked(cotangent_tangent, outputs, "cotangent tangent");
  auto gradient = state_->new_gradient();
  state_->passes->pullback_tangent(along, ct, gradient);
  return state_->named(std::move(gradient));
}

torch::Tensor mlp_output(const Mlp& network, const Params& params, const torch::Tensor& x) {
  return MlpLinearization::State(network, params, x, /*keep=*/false, /*borrow=*/true).output;
}

}  // namespace innerloop
