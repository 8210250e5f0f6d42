// Multinomial logistic regression with an L2 penalty, to where every entry of its gradient is below 1e-6, or
// through 200 iterations.
//
//   min over W, b of  mean_n -log softmax(W x_n + b)_{y_n} + l2 / 2 |W|^2
#pragma once

#include <cstdint>

#include "networks/tensors/tensor.h"

namespace innerloop {

struct SoftmaxRegression {
  torch::Tensor weight, bias;  // [classes, F], [classes], float64
  double slope = 0;            // the largest entry of the gradient where it ended

  torch::Tensor scores(const torch::Tensor& x) const;  // [N, F] float64 -> [N, classes]
};

// x [N, F] float64, y [N] of 0 .. classes - 1, l2 > 0. By L-BFGS from zero; the result is a function of its
// arguments alone.
SoftmaxRegression softmax_regression(const torch::Tensor& x, const torch::Tensor& y, int64_t classes,
                                     double l2);

}  // namespace innerloop
