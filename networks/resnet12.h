// ResNet-12, the residual network of few-shot learning (Oreshkin et al. 2018; Lee et al. 2019, section 4.1;
// the widths of kjunelee/MetaOptNet, Sha-Lab/FEAT and Han-Jia/UNICORN-MAML, 64-160-320-640).
//
//   block b = 1..4   x -> [3 x 3 convolution, norm, LeakyReLU(0.1)] twice, 3 x 3 convolution, norm
//                      -> + norm(1 x 1 convolution of x) -> LeakyReLU(0.1) -> 2 x 2 max-pool (VALID)
//   head             mean over height and width -> linear
//
// There is no dropout and no DropBlock: the published code uses them in pretraining, which is not done here.
// Kernels start xavier-uniform as in the other networks (published: Kaiming-normal). UNICORN-MAML's
// functional pass ends a block with ReLU where its module has LeakyReLU; this is the module.
//
// Parameters, in this order: "conv{n}.weight" [T, size, size, in, out] (height, width, in, out),
// "norm{n}.weight" and "norm{n}.bias" [T, out] for n = 1..16, where n = 4 (b - 1) + 1..3 are block b's 3 x 3
// convolutions and n = 4 b its shortcut; last "linear.weight" [T, outputs, 10 filters] and "linear.bias".
#pragma once

#include <string>

#include "networks/layer_graph.h"
#include "networks/network.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

struct ResNet12Config {
  int64_t channels = 3, height = 84, width = 84;  // of an image
  int64_t filters = 64;  // channels of the first block, even; the others have 2.5, 5 and 10 times as many
  int64_t outputs = 5;   // 0: no last layer, y are the features
  std::string initialization = "xavier";  // of the last layer, see NetworkConfig
};

class ResNet12 : public Network, public TellsLayers {
 public:
  static constexpr int64_t kBlocks = 4;
  static constexpr int64_t kSmallest = 16;  // pixels a side that four max-pools need

  explicit ResNet12(ResNet12Config config);  // UsageError for sizes below 1, odd filters, too small an image

  const ResNet12Config& config() const { return config_; }

  NetworkSize size() const override;
  Params initial(Stream& stream) const override;
  torch::Tensor forward(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;
  torch::Tensor features(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;
  bool normalises() const override { return true; }
  std::vector<std::string> head_names() const override;
  std::vector<std::vector<std::string>> layer_names() const override;
  Params statistics() const override;
  LayerGraph layers() const override;

 private:
  int64_t block_channels(int64_t block) const;  // what block 1..4 gives; block 0: of an image

  ResNet12Config config_;
};

}  // namespace innerloop
