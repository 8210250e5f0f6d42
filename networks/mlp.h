// Multi-layer perceptron with a leading task dimension, as a pure function of its parameters.
//
//   h_0 = x;  h_{l+1} = act(W_l h_l + b_l);  y = W_L h_L + b_L        (the last layer is linear)
//
// Parameters, per layer l: "layer{l}.weight" [T, out, in] and "layer{l}.bias" [T, out].
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "networks/activation.h"
#include "networks/network_size.h"
#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

struct MlpConfig {
  int64_t inputs = 1;
  std::vector<int64_t> hidden{40, 40};
  int64_t outputs = 1;
  Activation activation = Activation::kRelu;
};

class Mlp {
 public:
  explicit Mlp(MlpConfig config);  // UsageError for sizes below 1

  const MlpConfig& config() const { return config_; }
  size_t layers() const { return config_.hidden.size() + 1; }
  const std::vector<std::string>& parameter_names() const { return names_; }
  std::vector<std::string> head_names() const;  // of the last layer
  NetworkSize size() const;

  // Xavier-uniform weights U(-a, a), a = sqrt(6 / (in + out)), zero biases; [1, ...] float32.
  Params initial(Stream& stream) const;

  // x [T, N, inputs] -> y [T, N, outputs], in LibTorch operations, differentiable to any order. `params` may
  // hold further entries (a policy's log-std); they are ignored.
  torch::Tensor forward(const Params& params, const torch::Tensor& x) const;

 private:
  MlpConfig config_;
  std::vector<std::string> names_;
};

}  // namespace innerloop
