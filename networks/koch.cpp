#include "networks/koch.h"

#include <ATen/ops/sigmoid.h>

#include "base/error.h"
#include "networks/image_layers.h"
#include "networks/initialization.h"

namespace innerloop {

using torch::Tensor;

namespace {

constexpr std::array<int64_t, Koch::kStages> kKochKernels{64, 128, 128, 256}, kKochSizes{10, 7, 4, 4};
constexpr double kKochKernelSpread = 0.01, kKochUnitSpread = 0.2;

std::string koch_name(size_t stage, const char* what) { return concat("conv", stage + 1, ".", what); }

Tensor koch_biases(Stream& stream, int64_t count) { return 0.5 + normal_weights(stream, {1, count}, 0.01); }

}  // namespace

Koch::Koch(KochConfig config) : config_(std::move(config)) {
  const auto& c = config_;
  require_usage(c.channels >= 1 && c.outputs >= 0 && c.units >= 0, "koch: ", c.channels, " channels, ",
                c.units, " units and ", c.outputs, " outputs asked, expected at least 1, 0 and 0");
  require_usage(c.divisor >= 1 && kKochKernels[0] % c.divisor == 0,
                "koch: the numbers of kernels, 64, 128, 128 and "
                "256, divided by ",
                c.divisor, ": expected 1, 2, 4, 8, 16, 32 or 64");
  require_usage(
      c.height >= kSmallest && c.width >= kSmallest, "koch: images of ", c.height, " x ", c.width,
      " pixels are used up by four unpadded convolutions and three 2 x 2 max-pools; the smallest is ",
      kSmallest, " x ", kSmallest, ", the paper's is 105 x 105 (dataset.image_size = 105)");
  check_initialization(c.initialization);
  int64_t in = c.channels, height = c.height, width = c.width;
  for (size_t l = 0; l < kStages; ++l) {
    const int64_t lost = kKochSizes[l] - 1;
    stages_[l] = {in, kKochKernels[l] / c.divisor, kKochSizes[l], height - lost, width - lost};
    in = stages_[l].out;
    height = stages_[l].height / 2;
    width = stages_[l].width / 2;
  }
}

int64_t Koch::flat() const { return stages_.back().out * stages_.back().height * stages_.back().width; }

std::vector<std::string> Koch::head_names() const {
  if (config_.outputs == 0) return {};
  return {"linear.weight", "linear.bias"};
}

std::vector<std::vector<std::string>> Koch::layer_names() const {
  std::vector<std::vector<std::string>> out;
  for (size_t l = 0; l < kStages; ++l) out.push_back({koch_name(l, "weight"), koch_name(l, "bias")});
  if (config_.units > 0) out.push_back({"units.weight", "units.bias"});
  return out;
}

NetworkSize Koch::size() const {
  NetworkSize size;
  for (const auto& s : stages_) {
    size.parameters += (static_cast<double>(s.kernel * s.kernel * s.in) + 1) * static_cast<double>(s.out);
    size.activations += static_cast<double>(s.height * s.width * s.out);
  }
  const auto units = static_cast<double>(config_.units), outputs = static_cast<double>(config_.outputs);
  size.parameters += (static_cast<double>(flat()) + 1) * units;
  size.parameters += (static_cast<double>(feature_count()) + 1) * outputs;
  size.activations += units + outputs;
  return size;
}

Params Koch::initial(Stream& stream) const {
  std::vector<Params::Entry> entries;
  for (size_t l = 0; l < kStages; ++l) {
    const auto& s = stages_[l];
    entries.push_back({koch_name(l, "weight"),
                       normal_weights(stream, {1, s.kernel, s.kernel, s.in, s.out}, kKochKernelSpread)});
    entries.push_back({koch_name(l, "bias"), koch_biases(stream, s.out)});
  }
  if (config_.units > 0) {
    entries.push_back({"units.weight", normal_weights(stream, {1, config_.units, flat()}, kKochUnitSpread)});
    entries.push_back({"units.bias", koch_biases(stream, config_.units)});
  }
  if (config_.outputs == 0) return Params(std::move(entries));
  entries.push_back({"linear.weight",
                     initial_last_layer(config_.initialization, stream, config_.outputs, feature_count())});
  entries.push_back({"linear.bias", torch::zeros({1, config_.outputs})});
  return Params(std::move(entries));
}

Tensor Koch::features(const Params& params, const Tensor& x, const Pass& pass) const {
  require(x.dim() == 5 && x.size(0) == params.tasks() && x.size(2) == config_.channels &&
              x.size(3) == config_.height && x.size(4) == config_.width,
          "koch: images of shape ", x.sizes(), ", expected [", params.tasks(), ", N, ", config_.channels,
          ", ", config_.height, ", ", config_.width, "]");
  if (pass.found != nullptr) *pass.found = Params();
  Tensor h = x;
  for (size_t l = 0; l < kStages; ++l) {
    const Tensor bias = params.at(koch_name(l, "bias"));
    h = convolution(h, params.at(koch_name(l, "weight")), /*padding=*/0) +
        bias.view({bias.size(0), 1, bias.size(1), 1, 1});
    h = torch::relu(l + 1 < kStages ? max_pool(h) : h);
    h = pass.through(static_cast<int64_t>(l) + 1, h);
  }
  h = h.flatten(2);
  if (config_.units == 0) return h;
  return pass.through(static_cast<int64_t>(kStages) + 1,
                      torch::sigmoid(linear(h, params.at("units.weight"), params.at("units.bias"))));
}

LayerGraph Koch::layers() const {
  LayerGraph graph;
  size_t h = graph.input();
  for (size_t l = 0; l < kStages; ++l) {
    h = graph.add(layers::Convolution{.weight = koch_name(l, "weight"), .bias = koch_name(l, "bias")}, {h});
    if (l + 1 < kStages) h = graph.add(layers::MaxPool{}, {h});
    h = graph.add(layers::Activate{Activation::kRelu}, {h});
  }
  h = graph.add(layers::Flatten{}, {h});
  if (config_.units > 0) {
    h = graph.add(layers::Linear{"units.weight", "units.bias"}, {h});
    h = graph.add(layers::Sigmoid{}, {h});
  }
  if (config_.outputs > 0) graph.add(layers::Linear{"linear.weight", "linear.bias"}, {h});
  return graph;
}

Tensor Koch::forward(const Params& params, const Tensor& x, const Pass& pass) const {
  const Tensor last = features(params, x, pass);
  if (config_.outputs == 0) return last;
  return linear(last, params.at("linear.weight"), params.at("linear.bias"));
}

}  // namespace innerloop
