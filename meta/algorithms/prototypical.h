// Prototypical networks (Snell, Swersky and Zemel, NeurIPS 2017, Algorithm 1; code:
// jakesnell/prototypical-networks).
//
//   c_k = mean of f(x) over the support samples of class k;   p(y = k | x) = softmax_k(-|f(x) - c_k|^2)
//
// f is the network without its last layer. Support and query pass through it as one batch, as in the code, so
// that in batch mode their statistics are common. The loss is the mean over queries.
#pragma once

#include "meta/algorithm.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm prototypical();

// -|f(x) - c_k|^2 of the queries, [T, queries, ways], from the features [T, support samples first, F] of both
// parts and the support's labels [T, supports].
torch::Tensor prototype_scores(const torch::Tensor& features, const torch::Tensor& support_y, int64_t ways);

}  // namespace innerloop
