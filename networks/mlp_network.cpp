#include "networks/mlp_network.h"

#include <algorithm>

#include "base/error.h"
#include "networks/batch_norm.h"
#include "networks/image_layers.h"
#include "networks/initialization.h"
#include "networks/mlp_linearization.h"

namespace innerloop {

using torch::Tensor;

namespace {

// The kernels' network always has a last layer; without outputs it is not used.
MlpConfig with_last_layer(MlpConfig config) {
  if (config.outputs == 0) config.outputs = 1;
  return config;
}

}  // namespace

LayerGraph mlp_layers(const MlpNetworkConfig& config) {
  LayerGraph graph;
  size_t h = graph.add(layers::Flatten{}, {graph.input()});
  const size_t hidden = config.mlp.hidden.size();
  for (size_t l = 0; l < hidden; ++l) {
    const std::string name = concat("layer", l);
    h = graph.add(layers::Linear{name + ".weight", config.batch_norm ? "" : name + ".bias"}, {h});
    if (config.batch_norm) h = graph.add(layers::BatchNorm{static_cast<int64_t>(l), config.scale}, {h});
    h = graph.add(layers::Activate{config.mlp.activation}, {h});
  }
  const std::string last = concat("layer", hidden);
  if (config.mlp.outputs > 0) graph.add(layers::Linear{last + ".weight", last + ".bias"}, {h});
  return graph;
}

MlpNetwork::MlpNetwork(MlpNetworkConfig config)
    : config_(std::move(config)), headless_(config_.mlp.outputs == 0), mlp_(with_last_layer(config_.mlp)) {
  check_initialization(config_.initialization);
  require_usage(
      !headless_ || !config_.mlp.hidden.empty(),
      "mlp: without hidden layers and without outputs it has no features of its own; expected hidden layers");
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

NetworkSize MlpNetwork::size() const {
  NetworkSize size = mlp_.size();
  const auto& hidden = config_.mlp.hidden;
  if (headless_) {
    size.parameters -= static_cast<double>(hidden.back()) + 1;
    size.activations -= 1;
  }
  if (config_.batch_norm && config_.scale) {
    for (const auto units : hidden) size.parameters += static_cast<double>(units);
  }
  return size;
}

Params MlpNetwork::initial(Stream& stream) const {
  std::vector<Params::Entry> entries;
  int64_t in = config_.mlp.inputs;
  for (size_t l = 0; l < mlp_.layers(); ++l) {
    const bool last = l + 1 == mlp_.layers();
    if (last && headless_) break;
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

Tensor MlpNetwork::features(const Params& params, const Tensor& x, const Pass& pass) const {
  if (pass.found != nullptr) *pass.found = Params();
  Tensor h = flattened(x);
  for (size_t l = 0; l + 1 < mlp_.layers(); ++l) {
    const auto& weight = params.at(concat("layer", l, ".weight"));
    if (config_.batch_norm) {
      // In this order the gradient of `weight` comes in the layout of `weight`.
      h = weight.bmm(h.transpose(1, 2)).transpose(1, 2);
      h = batch_norm(params, h, static_cast<int64_t>(l), pass);
    } else {
      h = linear(h, weight, params.at(concat("layer", l, ".bias")));
    }
    h = config_.mlp.activation == Activation::kTanh ? torch::tanh(h) : torch::relu(h);
    h = pass.through(static_cast<int64_t>(l) + 1, h);
  }
  return h;
}

std::vector<std::string> MlpNetwork::head_names() const {
  return headless_ ? std::vector<std::string>() : mlp_.head_names();
}

std::vector<std::vector<std::string>> MlpNetwork::layer_names() const {
  std::vector<std::vector<std::string>> out;
  for (size_t l = 0; l + 1 < mlp_.layers(); ++l) {
    out.push_back({concat("layer", l, ".weight")});
    if (!config_.batch_norm) {
      out.back().push_back(concat("layer", l, ".bias"));
      continue;
    }
    const auto layer = static_cast<int64_t>(l);
    if (config_.scale) out.back().push_back(norm_name(layer, "weight"));
    out.back().push_back(norm_name(layer, "bias"));
  }
  return out;
}

Params MlpNetwork::statistics() const {
  return config_.batch_norm ? initial_statistics(0, config_.mlp.hidden) : Params();
}

Tensor MlpNetwork::forward(const Params& params, const Tensor& x, const Pass& pass) const {
  const Tensor h = features(params, x, pass);
  if (headless_) return h;
  const auto last = head_names();
  return linear(h, params.at(last[0]), params.at(last[1]));
}

std::unique_ptr<Linearization> MlpNetwork::at(const Params& params, const Tensor& x) const {
  if (config_.batch_norm || headless_ || !fits_kernels(x)) return nullptr;
  return std::make_unique<MlpLinearization>(mlp_, params, flattened(x), /*borrow=*/true);
}

Tensor MlpNetwork::output(const Params& params, const Tensor& x, const Pass& pass) const {
  if (config_.batch_norm || headless_ || pass.hidden || !fits_kernels(x))
    return Network::output(params, x, pass);
  if (pass.found != nullptr) *pass.found = Params();
  return mlp_output(mlp_, params, flattened(x));
}

}  // namespace innerloop
