#include "policies/mlp_sampler.h"

#include <vector>

#include "base/error.h"

namespace innerloop {

torch::Tensor task_slice(const torch::Tensor& value, int64_t task) {
  require(task >= 0 && task < value.size(0), "policy sampler: task ", task, " asked of parameters of ",
          value.size(0), " tasks");
  return value.detach()[task].to(torch::kCPU, torch::kFloat32).contiguous();
}

MlpForward mlp_forward(const Mlp& network, const Params& params, int64_t task) {
  std::vector<torch::Tensor> values;  // keeps the slices alive until MlpForward has read them
  std::vector<MlpForward::Layer> layers;
  for (size_t l = 0; l < network.layers(); ++l) {
    const auto weight = task_slice(params.at(concat("layer", l, ".weight")), task);
    const auto bias = task_slice(params.at(concat("layer", l, ".bias")), task);
    layers.push_back({weight.data_ptr<float>(), bias.data_ptr<float>(), weight.size(1), weight.size(0)});
    values.insert(values.end(), {weight, bias});
  }
  return MlpForward(layers, network.config().activation == Activation::kTanh ? MlpForward::Hidden::kTanh
                                                                             : MlpForward::Hidden::kRelu);
}

}  // namespace innerloop
