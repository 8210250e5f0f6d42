#include "networks/mlp_network.h"

#include <algorithm>

#include "base/error.h"
#include "networks/batch_norm.h"
#include "networks/image_layers.h"
#include "networks/initialization.h"
#include "networks/mlp_linearization.h"

namespace innerloop {
namespace {

using torch::Tensor;

// L(params) = loss(mlp(x; params)): with y' = J v, H v = d/de J(params + e v)^T (dL/dy + e d2L/dy2 y').
class LinearizedLoss : public LossAt {
 public:
  LinearizedLoss(const Mlp& mlp, const Params& params, const Tensor& x, const OutputLoss& loss)
      : params_(params.detached()),
        output_loss_(loss),
        linearization_(mlp, params_, x, /*borrow=*/true),
        at_(output_loss_.at(linearization_.output())) {}

  const Tensor& loss() override { return at_.loss; }

  const Params& gradient() override {
    if (gradient_.empty()) gradient_ = completed(linearization_.pullback(at_.gradient));
    return gradient_;
  }

  Params hessian_product(const Params& direction) override {
    const auto tangent = linearization_.pushforward(direction);
    return completed(
        linearization_.pullback_tangent(direction, at_.gradient, output_loss_.second(at_, tangent)));
  }

 private:
  // Zeros for entries of params that are not the network's.
  Params completed(const Params& network_part) const {
    bool same = network_part.size() == params_.size();
    for (size_t i = 0; same && i < params_.size(); ++i) same = network_part.name(i) == params_.name(i);
    if (same) return network_part;
    std::vector<Tensor> values;
    for (const auto& entry : params_) {
      values.push_back(network_part.contains(entry.name) ? network_part.at(entry.name)
                                                         : torch::zeros_like(entry.value));
    }
    return params_.with(std::move(values));
  }

  Params params_;
  OutputLoss output_loss_;
  MlpLinearization linearization_;
  OutputLoss::At at_;
  Params gradient_;
};

}  // namespace

MlpNetwork::MlpNetwork(MlpNetworkConfig config) : config_(std::move(config)), mlp_(config_.mlp) {
  check_initialization(config_.initialization);
}

int64_t MlpNetwork::tasks_per_chunk() const {
  if (config_.batch_norm) return 4;  // through autograd: dispatch costs more than a task's own work
  // In a 1-40-40-1 network handling a chunk costs 20 microseconds, an inner step on 10 samples about 10.
  constexpr int64_t kMost = 13, kWeights = kMost * 1680;
  int64_t weights = 0, in = config_.mlp.inputs;
  for (size_t l = 0; l < mlp_.layers(); ++l) {
    const int64_t out = l < config_.mlp.hidden.size() ? config_.mlp.hidden[l] : config_.mlp.outputs;
    weights += in * out;
    in = out;
  }
  return std::clamp<int64_t>(kWeights / weights, 1, kMost);
}

Params MlpNetwork::initial(Stream& stream) const {
  std::vector<Params::Entry> entries;
  int64_t in = config_.mlp.inputs;
  for (size_t l = 0; l < mlp_.layers(); ++l) {
    const bool last = l + 1 == mlp_.layers();
    const int64_t out = last ? config_.mlp.outputs : config_.mlp.hidden[l];
    const bool as_named = last || config_.initialization == "truncated_normal";
    entries.push_back(
        {concat("layer", l, ".weight"), as_named ? initial_last_layer(config_.initialization, stream, out, in)
                                                 : xavier_uniform(stream, {1, out, in}, in, out)});
    if (last || !config_.batch_norm) {
      entries.push_back({concat("layer", l, ".bias"), torch::zeros({1, out})});
    } else {
      const auto layer = static_cast<int64_t>(l);
      if (config_.scale) entries.push_back({norm_name(layer, "weight"), torch::ones({1, out})});
      entries.push_back({norm_name(layer, "bias"), torch::zeros({1, out})});
    }
    in = out;
  }
  return Params(std::move(entries));
}

Tensor MlpNetwork::flattened(const Tensor& x) const {
  require(x.dim() >= 3, "mlp: x is ", x.sizes(), ", expected [T, N, ...]");
  const auto flat = x.flatten(2);
  require(flat.size(2) == config_.mlp.inputs, "mlp: x is ", x.sizes(), ", ", flat.size(2),
          " numbers a sample, expected ", config_.mlp.inputs);
  return flat;
}

Tensor MlpNetwork::features(const Params& params, const Tensor& x, const Normalisation& normalisation) const {
  if (normalisation.found != nullptr) *normalisation.found = Params();
  Tensor h = flattened(x);
  for (size_t l = 0; l + 1 < mlp_.layers(); ++l) {
    const auto& weight = params.at(concat("layer", l, ".weight"));
    if (config_.batch_norm) {
      // In this order the gradient of `weight` comes in the layout of `weight`.
      h = weight.bmm(h.transpose(1, 2)).transpose(1, 2);
      h = batch_norm(params, h, static_cast<int64_t>(l), normalisation);
    } else {
      h = linear(h, weight, params.at(concat("layer", l, ".bias")));
    }
    h = config_.mlp.activation == Activation::kTanh ? torch::tanh(h) : torch::relu(h);
  }
  return h;
}

Tensor MlpNetwork::forward(const Params& params, const Tensor& x, const Normalisation& normalisation) const {
  const auto last = concat("layer", mlp_.layers() - 1);
  return linear(features(params, x, normalisation), params.at(last + ".weight"), params.at(last + ".bias"));
}

std::unique_ptr<LossAt> MlpNetwork::loss_at(const Params& params, const Tensor& x,
                                            const OutputLoss& loss) const {
  if (config_.batch_norm) return Network::loss_at(params, x, loss);
  return std::make_unique<LinearizedLoss>(mlp_, params, flattened(x), loss);
}

Tensor MlpNetwork::output(const Params& params, const Tensor& x, const Normalisation& normalisation) const {
  if (config_.batch_norm) return Network::output(params, x, normalisation);
  if (normalisation.found != nullptr) *normalisation.found = Params();
  return mlp_output(mlp_, params, flattened(x));
}

}  // namespace innerloop
