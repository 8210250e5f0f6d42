// Prototypical networks (Snell, Swersky and Zemel, NeurIPS 2017, Algorithm 1; code:
// jakesnell/prototypical-networks).
//
//   c_k = mean of f(x) over the support samples of class k;   p(y = k | x) = softmax_k(-|f(x) - c_k|^2)
//
// f is the network without its last layer. Support and query pass through it as one batch, as in the code, so
// that in batch mode their statistics are common. The loss is the mean over queries.
#pragma once

#include "meta/algorithm.h"
#include "meta/feature_classifier.h"

namespace innerloop {

Algorithm prototypical();

// -|f(x) - c_k|^2 of the queries, [T, queries, ways].
torch::Tensor prototype_scores(const FeatureSets& sets);

}  // namespace innerloop
