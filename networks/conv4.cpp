#include "networks/conv4.h"

#include "base/error.h"
#include "networks/batch_norm.h"
#include "networks/conv4_linearization.h"
#include "networks/image_layers.h"
#include "networks/initialization.h"

namespace innerloop {

using torch::Tensor;

Conv4::Conv4(Conv4Config config) : config_(std::move(config)) {
  const auto& c = config_;
  require_usage(c.channels >= 1 && c.height >= 1 && c.width >= 1, "conv4: images of ", c.channels, " x ",
                c.height, " x ", c.width, " (channels, height, width), expected at least 1 of each");
  require_usage(c.filters >= 1 && c.outputs >= 0, "conv4: ", c.filters, " filters and ", c.outputs,
                " outputs asked, expected at least 1 and 0");
  require_usage(!c.max_pool || (c.height >= kSmallestPooled && c.width >= kSmallestPooled),
                "conv4: images of ", c.height, " x ", c.width,
                " pixels vanish in four 2 x 2 max-pools; the smallest is ", kSmallestPooled, " x ",
                kSmallestPooled, " (downsample by stride takes any size)");
  check_initialization(c.initialization);
  sizes_[0] = {c.height, c.width};
  for (size_t l = 0; l < kStages; ++l) {
    const auto half = [&](int64_t n) { return c.max_pool ? n / 2 : (n + 1) / 2; };
    sizes_[l + 1] = {half(sizes_[l].height), half(sizes_[l].width)};
  }
}

int64_t Conv4::feature_count() const {
  return config_.mean_head ? config_.filters : config_.filters * sizes_.back().height * sizes_.back().width;
}

std::vector<std::string> Conv4::head_names() const {
  if (config_.outputs == 0) return {};
  return {"linear.weight", "linear.bias"};
}

NetworkSize Conv4::size() const {
  const auto filters = static_cast<double>(config_.filters), outputs = static_cast<double>(config_.outputs);
  NetworkSize size;
  auto in = static_cast<double>(config_.channels);
  for (size_t l = 0; l < kStages; ++l) {
    const auto& of = sizes_[config_.max_pool ? l : l + 1];  // before the pool
    size.parameters += (9 * in + (config_.scale ? 2 : 1)) * filters;
    size.activations += static_cast<double>(of.height) * static_cast<double>(of.width) * filters;
    in = filters;
  }
  size.parameters += (static_cast<double>(feature_count()) + 1) * outputs;
  size.activations += outputs;
  return size;
}

std::vector<std::vector<std::string>> Conv4::layer_names() const {
  std::vector<std::vector<std::string>> out;
  for (int64_t l = 1; l <= kStages; ++l) {
    out.push_back({concat("conv", l, ".weight"), norm_name(l, "bias")});
    if (config_.scale) out.back().push_back(norm_name(l, "weight"));
  }
  return out;
}

Params Conv4::initial(Stream& stream) const {
  const int64_t filters = config_.filters, outputs = config_.outputs;
  std::vector<Params::Entry> entries;
  for (int64_t l = 1; l <= kStages; ++l) {
    const int64_t in = l == 1 ? config_.channels : filters;
    entries.push_back({concat("conv", l, ".weight"), initial_kernels(stream, 3, in, filters)});
    if (config_.scale) entries.push_back({norm_name(l, "weight"), torch::ones({1, filters})});
    entries.push_back({norm_name(l, "bias"), torch::zeros({1, filters})});
  }
  if (outputs == 0) return Params(std::move(entries));
  entries.push_back(
      {"linear.weight", initial_last_layer(config_.initialization, stream, outputs, feature_count())});
  entries.push_back({"linear.bias", torch::zeros({1, outputs})});
  return Params(std::move(entries));
}

Tensor Conv4::features(const Params& params, const Tensor& x, const Pass& pass) const {
  require(x.dim() == 5 && x.size(0) == params.tasks() && x.size(2) == config_.channels &&
              x.size(3) == config_.height && x.size(4) == config_.width,
          "conv4: images of shape ", x.sizes(), ", expected [", params.tasks(), ", N, ", config_.channels,
          ", ", config_.height, ", ", config_.width, "]");
  if (pass.found != nullptr) *pass.found = Params();
  Tensor h = x;
  for (int64_t l = 1; l <= kStages; ++l) {
    const auto& kernels = params.at(concat("conv", l, ".weight"));
    h = config_.max_pool ? convolution(h, kernels, /*padding=*/1) : strided_convolution(h, kernels);
    h = torch::relu(batch_norm(params, h, l, pass));
    if (config_.max_pool) h = max_pool(h);
    h = pass.through(l, h);
  }
  return config_.mean_head ? h.mean({3, 4}) : h.permute({0, 1, 3, 4, 2}).flatten(2);
}

Tensor Conv4::forward(const Params& params, const Tensor& x, const Pass& pass) const {
  const Tensor last = features(params, x, pass);
  if (config_.outputs == 0) return last;
  return linear(last, params.at("linear.weight"), params.at("linear.bias"));
}

LayerGraph Conv4::layers() const {
  LayerGraph graph;
  size_t h = graph.input();
  for (int64_t l = 1; l <= kStages; ++l) {
    layers::Convolution convolution{
        .weight = concat("conv", l, ".weight"), .rows = {1, 1}, .columns = {1, 1}};
    if (!config_.max_pool) {
      const auto [height, width] = sizes_[static_cast<size_t>(l - 1)];
      const auto rows = same_padding(height), columns = same_padding(width);
      convolution.stride = 2;
      convolution.rows = {rows.before, rows.after};
      convolution.columns = {columns.before, columns.after};
    }
    h = graph.add(convolution, {h});
    h = graph.add(layers::BatchNorm{l, config_.scale}, {h});
    h = graph.add(layers::Activate{Activation::kRelu}, {h});
    if (config_.max_pool) h = graph.add(layers::MaxPool{}, {h});
  }
  h = config_.mean_head ? graph.add(layers::MeanPixels{}, {h}) : graph.add(layers::Flatten{true}, {h});
  if (config_.outputs > 0) graph.add(layers::Linear{"linear.weight", "linear.bias"}, {h});
  return graph;
}

Params Conv4::statistics() const {
  return initial_statistics(1, std::vector<int64_t>(kStages, config_.filters));
}

std::unique_ptr<Linearization> Conv4::at(const Params& params, const Tensor& x) const {
  return fits_kernels(x) ? conv4_linearization(config_, params, x) : nullptr;
}

Tensor Conv4::output(const Params& params, const Tensor& x, const Pass& pass) const {
  if (pass.hidden || !fits_kernels(x)) return Network::output(params, x, pass);
  return conv4_output(config_, params, x, pass);
}

}  // namespace innerloop
