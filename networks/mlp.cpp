#include "networks/mlp.h"

#include <cmath>

#include "base/error.h"

namespace innerloop {

Mlp::Mlp(MlpConfig config) : config_(std::move(config)) {
  require_usage(config_.inputs >= 1 && config_.outputs >= 1, "mlp: ", config_.inputs, " inputs and ",
                config_.outputs, " outputs asked, expected at least 1 of each");
  for (const auto size : config_.hidden) {
    require_usage(size >= 1, "mlp: a hidden layer of ", size, " units asked, expected at least 1");
  }
  for (size_t l = 0; l < layers(); ++l) {
    names_.push_back(concat("layer", l, ".weight"));
    names_.push_back(concat("layer", l, ".bias"));
  }
}

std::vector<std::string> Mlp::head_names() const {
  const auto last = concat("layer", layers() - 1);
  return {last + ".weight", last + ".bias"};
}

NetworkSize Mlp::size() const {
  NetworkSize size;
  auto in = static_cast<double>(config_.inputs);
  for (size_t l = 0; l < layers(); ++l) {
    const auto out = static_cast<double>(l < config_.hidden.size() ? config_.hidden[l] : config_.outputs);
    size.parameters += (in + 1) * out;
    size.activations += out;
    in = out;
  }
  return size;
}

Params Mlp::initial(Stream& stream) const {
  std::vector<Params::Entry> entries;
  int64_t in = config_.inputs;
  for (size_t l = 0; l < layers(); ++l) {
    const int64_t out = l < config_.hidden.size() ? config_.hidden[l] : config_.outputs;
    const double bound = std::sqrt(6.0 / static_cast<double>(in + out));
    auto weight = torch::empty({1, out, in}, torch::kFloat32);
    auto* data = weight.data_ptr<float>();
    for (int64_t i = 0; i < out * in; ++i) data[i] = static_cast<float>(stream.uniform(-bound, bound));
    entries.push_back({concat("layer", l, ".weight"), weight});
    entries.push_back({concat("layer", l, ".bias"), torch::zeros({1, out}, torch::kFloat32)});
    in = out;
  }
  return Params(std::move(entries));
}

torch::Tensor Mlp::forward(const Params& params, const torch::Tensor& x) const {
  torch::Tensor h = x;
  for (size_t l = 0; l < layers(); ++l) {
    const auto& weight = params.at(concat("layer", l, ".weight"));
    const auto& bias = params.at(concat("layer", l, ".bias"));
    h = torch::baddbmm(bias.unsqueeze(1), h, weight.transpose(1, 2));
    if (l + 1 < layers()) h = config_.activation == Activation::kTanh ? torch::tanh(h) : torch::relu(h);
  }
  return h;
}

}  // namespace innerloop
