// The four-stage convolutional network of few-shot learning (Vinyals et al. 2016; Finn et al. 2017, section
// 5.2 and appendix A.1; cbfinn/maml, maml.py: construct_conv_weights).
//
//   stage l = 1..4   3 x 3 convolution -> batch normalisation -> ReLU (-> 2 x 2 max-pool)
//   head             mean over height and width, or all pixels -> linear
//
// The convolutions have no bias: batch normalisation takes the mean, and a bias with it. (cbfinn/maml keeps
// one, whose gradient is zero.)
//
// Parameters, in this order: per stage "conv{l}.weight" [T, 3, 3, in, filters] (height, width, in, out), then
// "norm{l}.weight" [T, filters] if `scale`, then "norm{l}.bias" [T, filters]; last "linear.weight"
// [T, outputs, F] and "linear.bias" [T, outputs], unless outputs is 0: y are the features then.
#pragma once

#include <array>
#include <string>

#include "networks/layer_graph.h"
#include "networks/network.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

struct Conv4Config {
  int64_t channels = 1, height = 28, width = 28;  // of an image
  int64_t filters = 64;                           // channels of every stage
  bool max_pool = false;  // stride 1 and 2 x 2 max-pool (VALID); else stride 2 with TensorFlow's SAME padding
  bool mean_head = true;  // F = filters; else F = all pixels, in the order height, width, channel
  int64_t outputs = 5;    // 0: no last layer
  bool scale = false;     // batch normalisation learns a scale beside the shift
  std::string initialization = "normal";  // of the last layer, see NetworkConfig
};

class Conv4 : public Network, public TellsLayers {
 public:
  static constexpr int64_t kStages = 4;
  static constexpr int64_t kSmallestPooled = 16;  // pixels a side that four max-pools need

  explicit Conv4(Conv4Config config);  // UsageError for sizes below 1 and an image too small for max_pool

  const Conv4Config& config() const { return config_; }

  // Height and width of what enters stage 1..4 ([0..3]) and of what leaves the last ([4]).
  struct ImageSize {
    int64_t height, width;
  };
  const std::array<ImageSize, kStages + 1>& sizes() const { return sizes_; }
  int64_t feature_count() const;  // F

  NetworkSize size() const override;
  Params initial(Stream& stream) const override;
  torch::Tensor forward(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;
  torch::Tensor features(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;
  bool normalises() const override { return true; }
  std::vector<std::string> head_names() const override;
  std::vector<std::vector<std::string>> layer_names() const override;
  Params statistics() const override;
  LayerGraph layers() const override;
  // In hand-written kernels (conv4_linearization.h).
  std::unique_ptr<Linearization> at(const Params& params, const torch::Tensor& x) const override;
  torch::Tensor output(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;

 private:
  Conv4Config config_;
  std::array<ImageSize, kStages + 1> sizes_{};
};

}  // namespace innerloop
