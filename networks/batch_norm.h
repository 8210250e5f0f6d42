// Batch normalisation with a leading task dimension: every task is normalised by statistics of its own.
//
//   y = (x - mean) / sqrt(variance + epsilon) * weight + bias     per channel; the biased variance
//   (Ioffe and Szegedy 2015, Algorithm 1)
//
// Layer l has the shift "norm{l}.bias" [T, C] and, where the network learns a scale, "norm{l}.weight" [T, C].
#pragma once

#include <string>

#include "networks/network.h"
#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// PyTorch's. tf.contrib.layers.batch_norm, which cbfinn/maml uses, has 1e-3: the same network up to the
// channels whose variance over a batch is of that size.
constexpr double kBatchNormEpsilon = 1e-5;

// "norm{layer}.{entry}", entry: "weight" and "bias" of Params, "mean" and "variance" of statistics.
std::string norm_name(int64_t layer, const std::string& entry);

// The averages of norms `first`, first + 1, ... over `channels` before anything is averaged:
// Network::statistics().
Params initial_statistics(int64_t first, const std::vector<int64_t>& channels);

// x [T, N, C] or [T, N, C, H, W] -> the same shape, in plain LibTorch operations, differentiable to any
// order. Statistics are over N, or N, H and W; those of `pass.use` may be [1, C], shared by all
// tasks. Appends the layer's to `*pass.found`, which a network's forward pass empties first.
torch::Tensor batch_norm(const Params& params, const torch::Tensor& x, int64_t layer, const Pass& pass);

}  // namespace innerloop
