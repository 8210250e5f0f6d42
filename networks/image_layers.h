// Layers of image networks with a leading task dimension, in LibTorch operations, differentiable to any
// order. Images are [T, N, channels, height, width]; kernels [T, size, size, in, out], a task's own.
#pragma once

#include "networks/tensors/tensor.h"

namespace innerloop {

struct SamePadding {
  int64_t before, after;
};

// TensorFlow's SAME padding of n rows or columns for a 3 x 3 convolution of stride 2, which leaves ceil(n /
// 2): max((ceil(n / 2) - 1) * 2 + 3 - n, 0), the smaller half before, so 28 -> (0, 1), 7 -> (1, 1).
SamePadding same_padding(int64_t n);

// Zero padding of `padding` on every side, stride 1.
torch::Tensor convolution(const torch::Tensor& x, const torch::Tensor& kernels, int64_t padding);

// 3 x 3 kernels, stride 2, SAME padding.
torch::Tensor strided_convolution(const torch::Tensor& x, const torch::Tensor& kernels);

// Maximum over 2 x 2, stride 2; a last odd row or column is dropped (VALID).
torch::Tensor max_pool(const torch::Tensor& x);

// features [T, N, F] -> [T, N, outputs]; weight [T, outputs, F], bias [T, outputs].
torch::Tensor linear(const torch::Tensor& features, const torch::Tensor& weight, const torch::Tensor& bias);

}  // namespace innerloop
