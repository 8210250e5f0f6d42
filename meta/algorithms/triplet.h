// Training by triplets (Schroff, Kalenichenko and Philbin, "FaceNet", CVPR 2015, section 3; the selection
// `batch_hard`: Hermans, Beyer and Leibe, "In Defense of the Triplet Loss", 2017, section 2). Of unit-norm
// embeddings of all of a task's samples, d the squared distance:
//
//   L = mean over (a, p, n) of [d(a, p) - d(a, n) + margin]_+     a, p of one class, n of another
//   semi_hard   all pairs (a, p) of different samples, n the nearest with d(a, n) > d(a, p), or the farthest
//               where there is none (so in TensorFlow Addons; FaceNet says nothing of that case)
//   batch_hard  every a, with the farthest p and the nearest n
//
// FaceNet's sum is a mean here. Without domains a training task is one of the data set's, support and query
// samples alike.
#pragma once

#include "meta/algorithm.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm triplet();

// y [T, N, E] of any length, labels [T, N] -> [T].
torch::Tensor triplet_loss(const torch::Tensor& y, const torch::Tensor& labels, double margin,
                           bool batch_hard);

}  // namespace innerloop
