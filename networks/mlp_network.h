// The multi-layer perceptron of the supervised side: networks/mlp.h on flattened inputs, with or without
// batch normalisation after each hidden layer.
//
//   without   h <- act(W_l h + b_l);        y = W_L h + b_L      parameters and names as Mlp's
//   with      h <- act(norm_l(W_l h));      y = W_L h + b_L      (cbfinn/maml's non-convolutional Omniglot
//   net:
//                                                                 784 -> 256-128-64-64, ReLU)
//
// With batch normalisation hidden layer l = 0, 1, ... has "layer{l}.weight" [T, out, in], then
// "norm{l}.weight" [T, out] if `scale`, then "norm{l}.bias" [T, out]; it has no bias of its own, which the
// normalisation would take away.
#pragma once

#include <string>

#include "networks/layer_graph.h"
#include "networks/mlp.h"
#include "networks/network.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

struct MlpNetworkConfig {
  MlpConfig mlp;
  bool batch_norm = false;
  bool scale = false;                     // batch normalisation learns a scale beside the shift
  std::string initialization = "xavier";  // see NetworkConfig
};

// The layers of such a network; a policy's is one without batch normalisation.
LayerGraph mlp_layers(const MlpNetworkConfig& config);

class MlpNetwork : public Network, public TellsLayers {
 public:
  explicit MlpNetwork(MlpNetworkConfig config);  // UsageError for sizes below 1 and an unknown initialization

  const Mlp& mlp() const { return mlp_; }

  NetworkSize size() const override;
  Params initial(Stream& stream) const override;
  torch::Tensor forward(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;
  torch::Tensor features(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;
  bool normalises() const override { return config_.batch_norm; }
  int64_t tasks_per_chunk() const override;

  std::vector<std::string> head_names() const override;
  std::vector<std::vector<std::string>> layer_names() const override;
  Params statistics() const override;
  LayerGraph layers() const override { return mlp_layers(config_); }

  // Without batch normalisation both run in the kernels of MlpLinearization.
  std::unique_ptr<Linearization> at(const Params& params, const torch::Tensor& x) const override;
  torch::Tensor output(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;

 private:
  torch::Tensor flattened(const torch::Tensor& x) const;

  MlpNetworkConfig config_;
  bool headless_;  // no last layer: y are the features
  Mlp mlp_;
};

}  // namespace innerloop
