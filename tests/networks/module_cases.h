// LibTorch's own modules as references for networks.
#pragma once

#include "tests/networks/network_cases.h"
// After Catch2's macros.
#include <torch/torch.h>

namespace innerloop {

// Of one task; their weights are views of params [1, ...].
inline torch::Tensor module_convolution(const Params& params, const std::string& name, const torch::Tensor& x,
                                        int64_t size, int64_t stride, int64_t padding) {
  const auto kernels = params.at(name).squeeze(0);  // height, width, in, out
  torch::nn::Conv2d module(torch::nn::Conv2dOptions(kernels.size(2), kernels.size(3), size)
                               .stride(stride)
                               .padding(padding)
                               .bias(false));
  module->weight = kernels.permute({3, 2, 0, 1});
  return module->forward(x);
}

// Batch statistics; `found`, if given, is held to the averages the module keeps (unbiased variance).
inline torch::Tensor module_norm(const Params& params, const std::string& layer, const torch::Tensor& x,
                                 const Params* found = nullptr) {
  const auto bias = params.at(layer + ".bias").squeeze(0);
  torch::nn::BatchNorm2d module(torch::nn::BatchNorm2dOptions(bias.size(0)).eps(1e-5).momentum(c10::nullopt));
  module->to(torch::kFloat64);
  module->bias = bias;
  module->weight =
      params.contains(layer + ".weight") ? params.at(layer + ".weight").squeeze(0) : torch::ones_like(bias);
  const auto images = x.dim() == 2 ? x.unsqueeze(2).unsqueeze(3) : x;
  const auto y = module->forward(images).view(x.sizes());
  if (found != nullptr) {
    const auto count = static_cast<double>(images.numel() / images.size(1));
    CHECK(error(found->at(layer + ".mean").squeeze(0), module->running_mean) < 1e-12);
    CHECK(error(found->at(layer + ".variance").squeeze(0), module->running_var * ((count - 1) / count)) <
          1e-12);
  }
  return y;
}

inline torch::Tensor module_pool(const torch::Tensor& x) {
  return torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(2))->forward(x);
}

inline torch::Tensor module_linear(const Params& params, const std::string& layer, const torch::Tensor& x) {
  const auto weight = params.at(layer + ".weight").squeeze(0);
  const bool bias = params.contains(layer + ".bias");
  torch::nn::Linear module(torch::nn::LinearOptions(weight.size(1), weight.size(0)).bias(bias));
  module->weight = weight;
  if (bias) module->bias = params.at(layer + ".bias").squeeze(0);
  return module->forward(x);
}

}  // namespace innerloop
