// Claim: what a network tells of its layers is what it computes.
#include "networks/layer_graph.h"

#include "base/error.h"
#include "networks/batch_norm.h"
#include "networks/network.h"
#include "tests/networks/network_cases.h"

namespace innerloop {
namespace {

using torch::Tensor;

// The layers in LibTorch's plain operations on one task: x [N, ...], entries of `params` [1, ...].
class Reader {
 public:
  explicit Reader(const Params& params) : params_(params) {}

  Tensor operator()(const LayerGraph& graph, const Tensor& x) const {
    std::vector<Tensor> values{x};
    for (const auto& node : graph.nodes()) {
      const auto in = [&](size_t i) { return values.at(node.inputs.at(i)); };
      if (const auto* add = std::get_if<layers::Add>(&node.layer); add != nullptr) {
        values.push_back(in(0) + in(1));
      } else {
        REQUIRE(node.inputs.size() == 1);
        values.push_back(std::visit([&](const auto& layer) { return read(layer, in(0)); }, node.layer));
      }
    }
    return values.back();
  }

 private:
  Tensor at(const std::string& name) const { return params_.at(name)[0]; }

  Tensor read(const layers::Flatten& layer, const Tensor& h) const {
    return (layer.channels_last ? h.permute({0, 2, 3, 1}) : h).flatten(1);
  }
  Tensor read(const layers::Linear& layer, const Tensor& h) const {
    const Tensor y = h.matmul(at(layer.weight).t());
    return layer.bias.empty() ? y : y + at(layer.bias);
  }
  Tensor read(const layers::Convolution& layer, const Tensor& h) const {
    const Tensor padded = torch::constant_pad_nd(
        h, {layer.columns.first, layer.columns.second, layer.rows.first, layer.rows.second}, 0);
    const int64_t stride = layer.stride;
    const Tensor bias = layer.bias.empty() ? Tensor() : at(layer.bias);
    return torch::conv2d(padded, at(layer.weight).permute({3, 2, 0, 1}), bias, at::IntArrayRef(stride));
  }
  Tensor read(const layers::BatchNorm& layer, const Tensor& h) const {
    const bool image = h.dim() == 4;
    const auto over = image ? std::vector<int64_t>{0, 2, 3} : std::vector<int64_t>{0};
    const auto channel = [&](const Tensor& v) { return image ? v.view({1, -1, 1, 1}) : v.view({1, -1}); };
    const Tensor centred = h - h.mean(over, true);
    Tensor out = centred / (centred.square().mean(over, true) + kBatchNormEpsilon).sqrt();
    if (layer.scale) out = out * channel(at(norm_name(layer.layer, "weight")));
    CHECK(params_.contains(norm_name(layer.layer, "weight")) == layer.scale);
    return out + channel(at(norm_name(layer.layer, "bias")));
  }
  Tensor read(const layers::Activate& layer, const Tensor& h) const {
    return layer.by == Activation::kTanh ? torch::tanh(h) : torch::relu(h);
  }
  Tensor read(const layers::LeakyRelu& layer, const Tensor& h) const {
    return torch::leaky_relu(h, layer.slope);
  }
  Tensor read(const layers::Sigmoid&, const Tensor& h) const { return torch::sigmoid(h); }
  Tensor read(const layers::MaxPool&, const Tensor& h) const { return torch::max_pool2d(h, 2); }
  Tensor read(const layers::MeanPixels&, const Tensor& h) const { return h.mean({2, 3}); }
  Tensor read(const layers::Add&, const Tensor&) const { throw Error("Add has two inputs"); }

  const Params& params_;
};

struct LayersCase {
  NetworkConfig config;
  std::vector<int64_t> input;
};

std::vector<LayersCase> layers_cases() {
  return {
      {{.name = "mlp", .own = {{"hidden", "7,5"}}}, {4}},
      {{.name = "mlp", .own = {{"hidden", "6"}, {"activation", "tanh"}}}, {1, 2, 2}},
      {{.name = "mlp", .batch_norm = "batch", .own = {{"hidden", "7,5"}}}, {4}},
      {{.name = "mlp", .batch_norm = "batch", .own = {{"hidden", "6"}, {"batch_norm_scale", true}}}, {4}},
      {{.name = "conv4", .batch_norm = "batch", .own = {{"filters", 3}}}, {1, 28, 27}},
      {{.name = "conv4",
        .batch_norm = "batch",
        .own = {{"filters", 2}, {"downsample", "max_pool"}, {"head", "flatten"}, {"batch_norm_scale", true}}},
       {3, 35, 16}},
      {{.name = "conv4", .batch_norm = "batch", .own = {{"filters", 2}, {"head", "flatten"}}}, {2, 33, 20}},
      {{.name = "resnet12", .batch_norm = "batch", .own = {{"filters", 2}}}, {2, 16, 20}},
      {{.name = "koch", .own = {{"divisor", 32}, {"units", 5}}}, {1, 66, 65}},
      {{.name = "koch", .own = {{"divisor", 64}, {"units", 0}}}, {2, 65, 70}}};
}

TEST_CASE("every network that tells its layers computes what they say", "[networks]") {
  std::vector<std::string> told;
  for (const auto& [config, input] : layers_cases()) {
    for (const int64_t outputs : {3, 0}) {
      INFO(config.name << " with " << outputs << " outputs");
      const auto network = make_network(config, input, outputs);
      const NetworkPoint at(*network, input, 1, 6);
      const Tensor y = network->forward(at.params, at.x)[0];
      CHECK(error(Reader(at.params)(layers_of(*network, config.name), at.x[0]), y) < 1e-12);
      CHECK(largest(y) > 1e-3);
      told.push_back(config.name);
    }
  }
  for (const auto& network : networks()) CHECK(std::count(told.begin(), told.end(), network.name) > 0);
}

TEST_CASE("a network that does not tell its layers is refused by name", "[networks]") {
  class Silent : public Network {
   public:
    NetworkSize size() const override { return {}; }
    Params initial(Stream&) const override { return {}; }
    Tensor forward(const Params&, const Tensor& x, const Pass&) const override { return x; }
    Tensor features(const Params&, const Tensor& x, const Pass&) const override { return x; }
    std::vector<std::string> head_names() const override { return {}; }
    std::vector<std::vector<std::string>> layer_names() const override { return {}; }
    bool normalises() const override { return false; }
  };
  REQUIRE_THROWS_WITH(layers_of(Silent(), "transformer"),
                      contains("network transformer does not tell its layers") && contains("TellsLayers"));
}

}  // namespace
}  // namespace innerloop
