// The convolutional twin of siamese networks for one-shot recognition (Koch, Zemel and Salakhutdinov, ICML
// Deep Learning Workshop 2015, section 3.1).
//
//   105 x 105   64 kernels of 10 x 10, ReLU, 2 x 2 max-pool    -> 48 x 48
//               128 of 7 x 7, ReLU, max-pool                   -> 21 x 21
//               128 of 4 x 4, ReLU, max-pool                   ->  9 x  9
//               256 of 4 x 4, ReLU                             ->  6 x  6
//   all 9,216 numbers -> `units` sigmoids (4,096 in the paper; 0: none, the 9,216 are the features) -> linear
//
// No padding, stride 1, no normalisation. Other sizes too, from 65 x 65 on; with a `divisor` there are so
// many times fewer kernels. Which of ReLU and pool comes first makes no difference: the maximum of rectified
// numbers is the rectified maximum.
//
// Initial values [from memory and from the port kevinzakka/one-shot-siamese; the paper's text was not at
// hand]: kernels N(0, .01^2), weights of the sigmoid layer N(0, .2^2), biases N(.5, .01^2). The last linear
// layer, which the paper's twin does not have, by NetworkConfig::initialization.
//
// Parameters, in this order: "conv{l}.weight" [T, size, size, in, out] (height, width, in, out) and
// "conv{l}.bias" [T, out] for l = 1..4; "units.weight" [T, units, F] and "units.bias" [T, units] if there are
// units; "linear.weight" [T, outputs, .] and "linear.bias" [T, outputs] unless outputs is 0.
#pragma once

#include <array>
#include <string>

#include "networks/layer_graph.h"
#include "networks/network.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

struct KochConfig {
  int64_t channels = 1, height = 105, width = 105;  // of an image
  int64_t divisor = 1;                              // of the numbers of kernels: 1, 2, 4, ..., 64
  int64_t units = 4096;
  int64_t outputs = 5;  // 0: no last layer, y are the features
  std::string initialization = "xavier";
};

class Koch : public Network, public TellsLayers {
 public:
  static constexpr size_t kStages = 4;
  static constexpr int64_t kSmallest = 65;  // pixels a side

  // UsageError for sizes below 1, too small an image, and a divisor of no whole numbers of kernels.
  explicit Koch(KochConfig config);

  NetworkSize size() const override;
  Params initial(Stream& stream) const override;
  torch::Tensor forward(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;
  torch::Tensor features(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const override;
  bool normalises() const override { return false; }
  std::vector<std::string> head_names() const override;
  std::vector<std::vector<std::string>> layer_names() const override;
  LayerGraph layers() const override;

 private:
  struct Stage {
    int64_t in, out, kernel;
    int64_t height, width;  // of what the convolution gives, before the pool
  };
  int64_t flat() const;  // F, what the convolutions give
  int64_t feature_count() const { return config_.units > 0 ? config_.units : flat(); }

  KochConfig config_;
  std::array<Stage, kStages> stages_{};
};

}  // namespace innerloop
