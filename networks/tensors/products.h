// Products of each task's matrices: with this build's instructions, where the system's BLAS may not know the
// machine.
#pragma once

#include "networks/tensors/tensor.h"

namespace innerloop {

// a b, a^T b and a b^T of every task: [T, n, k] and [T, k, m] -> [T, n, m], transposed sides accordingly.
// Outside a graph float32 and float64 on the CPU with dense slices, also where one stands for all tasks; else
// LibTorch's.
torch::Tensor product(const torch::Tensor& a, const torch::Tensor& b);
torch::Tensor product_tn(const torch::Tensor& a, const torch::Tensor& b);
torch::Tensor product_nt(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace innerloop
