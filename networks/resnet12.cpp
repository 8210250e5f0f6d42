#include "networks/resnet12.h"

#include <cmath>

#include "base/error.h"
#include "networks/batch_norm.h"
#include "networks/image_layers.h"
#include "networks/initialization.h"

namespace innerloop {

using torch::Tensor;

namespace {

constexpr double kSlope = 0.1;  // of LeakyReLU below 0

}  // namespace

ResNet12::ResNet12(ResNet12Config config) : config_(std::move(config)) {
  const auto& c = config_;
  require_usage(c.channels >= 1 && c.outputs >= 0, "resnet12: ", c.channels, " channels and ", c.outputs,
                " outputs asked, expected at least 1 and 0");
  require_usage(c.filters >= 2 && c.filters % 2 == 0, "resnet12: ", c.filters,
                " filters asked, expected an even number: the second block has 2.5 times as many");
  require_usage(c.height >= kSmallest && c.width >= kSmallest, "resnet12: images of ", c.height, " x ",
                c.width, " pixels vanish in four 2 x 2 max-pools; the smallest is ", kSmallest, " x ",
                kSmallest);
  check_initialization(c.initialization);
}

int64_t ResNet12::block_channels(int64_t block) const {
  const int64_t halves[] = {0, 2, 5, 10, 20};
  return block == 0 ? config_.channels : config_.filters / 2 * halves[block];
}

std::vector<std::string> ResNet12::head_names() const {
  if (config_.outputs == 0) return {};
  return {"linear.weight", "linear.bias"};
}

NetworkSize ResNet12::size() const {
  NetworkSize size;
  auto height = static_cast<double>(config_.height), width = static_cast<double>(config_.width);
  for (int64_t block = 1; block <= kBlocks; ++block) {
    const auto in = static_cast<double>(block_channels(block - 1)),
               out = static_cast<double>(block_channels(block));
    size.parameters += (9 * in + 9 * out + 9 * out + in + 4 * 2) * out;
    size.activations += 4 * height * width * out;
    height = std::floor(height / 2);
    width = std::floor(width / 2);
  }
  const auto outputs = static_cast<double>(config_.outputs);
  size.parameters += (static_cast<double>(block_channels(kBlocks)) + 1) * outputs;
  size.activations += outputs;
  return size;
}

std::vector<std::vector<std::string>> ResNet12::layer_names() const {
  std::vector<std::vector<std::string>> out(kBlocks);
  for (int64_t n = 1; n <= 4 * kBlocks; ++n) {
    auto& block = out[static_cast<size_t>((n - 1) / 4)];
    for (const auto& name : {concat("conv", n, ".weight"), norm_name(n, "weight"), norm_name(n, "bias")})
      block.push_back(name);
  }
  return out;
}

Params ResNet12::initial(Stream& stream) const {
  std::vector<Params::Entry> entries;
  for (int64_t n = 1; n <= 4 * kBlocks; ++n) {
    const int64_t block = (n + 3) / 4, part = (n - 1) % 4 + 1;
    const int64_t out = block_channels(block);
    const int64_t in = part == 1 || part == 4 ? block_channels(block - 1) : out;
    entries.push_back({concat("conv", n, ".weight"), initial_kernels(stream, part == 4 ? 1 : 3, in, out)});
    entries.push_back({norm_name(n, "weight"), torch::ones({1, out})});
    entries.push_back({norm_name(n, "bias"), torch::zeros({1, out})});
  }
  if (config_.outputs == 0) return Params(std::move(entries));
  entries.push_back({"linear.weight", initial_last_layer(config_.initialization, stream, config_.outputs,
                                                         block_channels(kBlocks))});
  entries.push_back({"linear.bias", torch::zeros({1, config_.outputs})});
  return Params(std::move(entries));
}

Tensor ResNet12::features(const Params& params, const Tensor& x, const Pass& pass) const {
  require(x.dim() == 5 && x.size(0) == params.tasks() && x.size(2) == config_.channels &&
              x.size(3) == config_.height && x.size(4) == config_.width,
          "resnet12: images of shape ", x.sizes(), ", expected [", params.tasks(), ", N, ", config_.channels,
          ", ", config_.height, ", ", config_.width, "]");
  if (pass.found != nullptr) *pass.found = Params();
  const auto normalised = [&](const Tensor& in, int64_t n, int64_t padding) {
    return batch_norm(params, convolution(in, params.at(concat("conv", n, ".weight")), padding), n, pass);
  };
  const auto activated = [](const Tensor& in) { return torch::leaky_relu(in, kSlope); };
  Tensor h = x;
  for (int64_t n = 1; n <= 4 * kBlocks; n += 4) {
    auto inner = activated(normalised(h, n, 1));
    inner = activated(normalised(inner, n + 1, 1));
    inner = normalised(inner, n + 2, 1);
    h = pass.through((n + 3) / 4, max_pool(activated(inner + normalised(h, n + 3, 0))));
  }
  return h.mean({3, 4});
}

LayerGraph ResNet12::layers() const {
  LayerGraph graph;
  const auto normalised = [&](size_t in, int64_t n, int64_t padding) {
    const size_t out = graph.add(
        layers::Convolution{concat("conv", n, ".weight"), 1, {padding, padding}, {padding, padding}}, {in});
    return graph.add(layers::BatchNorm{n, /*scale=*/true}, {out});
  };
  const auto activated = [&](size_t in) { return graph.add(layers::LeakyRelu{kSlope}, {in}); };
  size_t h = graph.input();
  for (int64_t n = 1; n <= 4 * kBlocks; n += 4) {
    size_t inner = activated(normalised(h, n, 1));
    inner = activated(normalised(inner, n + 1, 1));
    inner = normalised(inner, n + 2, 1);
    h = graph.add(layers::Add{}, {inner, normalised(h, n + 3, 0)});
    h = graph.add(layers::MaxPool{}, {activated(h)});
  }
  h = graph.add(layers::MeanPixels{}, {h});
  if (config_.outputs > 0) graph.add(layers::Linear{"linear.weight", "linear.bias"}, {h});
  return graph;
}

Tensor ResNet12::forward(const Params& params, const Tensor& x, const Pass& pass) const {
  const Tensor last = features(params, x, pass);
  if (config_.outputs == 0) return last;
  return linear(last, params.at("linear.weight"), params.at("linear.bias"));
}

Params ResNet12::statistics() const {
  std::vector<int64_t> channels;
  for (int64_t n = 0; n < 4 * kBlocks; ++n) channels.push_back(block_channels(n / 4 + 1));
  return initial_statistics(1, channels);
}

}  // namespace innerloop
