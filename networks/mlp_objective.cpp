#include <algorithm>
#include <optional>

#include "base/error.h"
#include "networks/head_derivatives.h"
#include "networks/mlp_linearization.h"

namespace innerloop {
namespace {

Params own_entries(const Mlp& network, const Params& params) {
  const auto names = network.parameter_names();
  std::vector<Params::Entry> own;
  for (const auto& entry : params) {
    if (std::find(names.begin(), names.end(), entry.name) == names.end()) own.push_back(entry);
  }
  return Params(std::move(own));
}

}  // namespace

struct MlpObjective::State {
  State(const Mlp& network, const Params& at, const torch::Tensor& x, const Head& head)
      : params(at.detached()),
        own(own_entries(network, params)),
        linearization(network, params, x),
        derivatives(head, linearization.output(), own) {}

  // From the network's part and the part of the own entries (from own_part[1] on), in the order of params.
  Params assembled(const Params& network_part, const std::vector<torch::Tensor>& own_part) const {
    std::vector<torch::Tensor> values;
    size_t next = 1;
    for (const auto& entry : params) {
      values.push_back(own.contains(entry.name) ? own_part[next++] : network_part.at(entry.name));
    }
    return params.with(std::move(values));
  }

  // (y', own entries of the direction), as the head's leaves.
  std::vector<torch::Tensor> tangents(const Params& direction) const {
    std::vector<torch::Tensor> out{linearization.pushforward(direction)};
    for (const auto& entry : own) {
      const auto& value = direction.at(entry.name);
      require(value.sizes() == entry.value.sizes(), "objective: direction '", entry.name, "' is ",
              value.sizes(), ", expected ", entry.value.sizes());
      out.push_back(value.detach());
    }
    return out;
  }

  Params params, own;
  MlpLinearization linearization;
  HeadDerivatives derivatives;
  std::optional<Params> gradient;
};

MlpObjective::MlpObjective(const Mlp& network, const Params& params, const torch::Tensor& x, Head head)
    : state_(std::make_unique<State>(network, params, x, head)) {}

MlpObjective::~MlpObjective() = default;

const torch::Tensor& MlpObjective::loss() const { return state_->derivatives.loss(); }

const Params& MlpObjective::gradient() const {
  if (!state_->gradient) {
    const auto& head = state_->derivatives.gradient();
    state_->gradient = state_->assembled(state_->linearization.pullback(head[0]), head);
  }
  return *state_->gradient;
}

Params MlpObjective::hessian_product(const Params& direction) const {
  const auto second = state_->derivatives.second(state_->tangents(direction));
  const auto& cotangent = state_->derivatives.gradient()[0];
  return state_->assembled(state_->linearization.pullback_tangent(direction, cotangent, second[0]), second);
}

Params MlpObjective::gauss_newton_product(const Params& direction) const {
  const auto second = state_->derivatives.second(state_->tangents(direction));
  return state_->assembled(state_->linearization.pullback(second[0]), second);
}

}  // namespace innerloop
