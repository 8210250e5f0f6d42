// LR-D2 (Bertinetto, Henriques, Torr and Vedaldi, ICLR 2019, section 3; code: bertinetto/r2d2,
// fewshots/models/lrd2.py): one logistic regression for each class against the others on the features of the
// support set, by Newton's method as iteratively reweighted least squares, differentiated through all
// iterations.
//
//   X = [f(x), 1],  y in {0, 1},  eta = X w,  mu = sigmoid(eta),  s = mu (1 - mu),  z = eta + (y - mu) / s
//   w <- X' (XX' + lambda diag(1 / s))^-1 z                    from eta = 0
//   logit of a class: [f(q), 1] w,   loss: cross-entropy over classes, mean over queries
//
// f is the network without its last layer. With two classes there is one regression, for class 0, and the
// loss is the binary cross-entropy of its logit: logits (eta, 0). The bias entry of w is regularised too;
// unlike R2-D2 nothing is divided by sqrt(n), and there is no scale or shift of the logits. lambda = 50 and
// 1, 5 or 10 iterations are what the code's experiments have (1 and 10 in those with two classes).
//
// A step is computed as the ridge regression from rows sqrt(s) x to sqrt(s) z, where sqrt(s) (y - mu) / s =
// t exp(-t eta / 2), t = 2 y - 1: the same without dividing by s, which is 0 in float32 where a sample is
// sure. Left out: meta-learned lambda, which its experiments do not use.
#pragma once

#include "meta/algorithm.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm lr_d2();

// w [..., d, 1] after `iterations` from x [..., n, d] and y [..., n, 1] of zeros and ones.
torch::Tensor logistic_regression(const torch::Tensor& x, const torch::Tensor& y, double lambda,
                                  int64_t iterations);

}  // namespace innerloop
