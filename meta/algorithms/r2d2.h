// R2-D2 (Bertinetto, Henriques, Torr and Vedaldi, ICLR 2019, section 3; code: bertinetto/r2d2,
// fewshots/models/r2d2.py and adjust.py): a ridge regression from the features of the support set to its
// one-hot labels, differentiated through its closed form.
//
//   Z = [f(x), 1] / sqrt(n),   Y = one-hot / sqrt(n)          of the n support samples, Z [n, F + 1]
//   W = (Z'Z + lambda I)^-1 Z'Y                               where n > F + 1
//   W = Z' (ZZ' + lambda I)^-1 Y                              otherwise (Woodbury)
//   logits = s [f(q), 1] W + c,   loss: cross-entropy, mean over queries
//
// f is the network without its last layer. The bias row of W is regularised too; queries' features are not
// scaled. s and c are meta-learned ("r2d2.scale", "r2d2.shift", which begins at 0; under the softmax c has no
// influence). lambda is a number, as in the code's experiments, or is meta-learned as it stands
// ("r2d2.lambda", learn_lambda = true); which of the two the paper's tables have was not verified in its
// text. 50 and the scales (10 for Omniglot and CIFAR-FS, 1e-4 for mini-ImageNet) are those of the code. Left
// out: its bases for lambda, s and c other than 1, and augmented copies of the support set, which its
// experiments do not use.
#pragma once

#include "meta/algorithm.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm r2d2();

// W [..., d, outputs] from z [..., n, d], y [..., n, outputs] and lambda, a number or [..., 1, 1] of as many
// dimensions as z; `dual`: by the n x n system instead of the d x d one, which gives the same.
torch::Tensor ridge_regression(const torch::Tensor& z, const torch::Tensor& y, const torch::Tensor& lambda,
                               bool dual);
// By the smaller system, as the code has it: dual where n <= d.
torch::Tensor ridge_regression(const torch::Tensor& z, const torch::Tensor& y, const torch::Tensor& lambda);

// features [..., n, F] -> [..., n, F + 1], the last column 1.
torch::Tensor with_ones(const torch::Tensor& features);

}  // namespace innerloop
