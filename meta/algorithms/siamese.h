// Siamese networks for one-shot recognition (Koch, Zemel and Salakhutdinov, ICML Deep Learning Workshop
// 2015).
//
//   h(x)      = sigmoid(W f(x) + b)            f: the configured network without its last layer
//   p(x1, x2) = sigmoid(sum_j alpha_j |h_j(x1) - h_j(x2)| + beta)      that both are of one class
//   loss      = mean over pairs of -y log p - (1 - y) log(1 - p), + l2 |weights|^2;   y = 1 for one class
//   a task    gives a query the class of the support sample with the largest p; of several shots too
//
// W has `units` rows, 4096 in the paper; `units = 0`: h is f itself, as with network koch, whose last layer
// it is. All of a training task's samples, support and query, pass as one batch, and `pairs` pairs of
// different samples are drawn among them, in turn one of one class and one of two (half and half, as in the
// paper). The paper draws pairs, 128 an iteration, from all of its training drawings, as many of each
// alphabet; here those of one task share its dataset.ways classes, which dataset.within_alphabet takes from
// one alphabet.
//
// `distortions`: the paper has eight copies of each pair beside itself whose images are distorted, each by an
// affine map of its own (affine_distortion.h). Here a pair is with probability 1 / (distortions + 1) itself,
// else distorted, by maps that are drawn anew each time, not eight that stay.
//
// Otherwise than in the paper, whose text was not at hand (what follows is from memory and from the port
// kevinzakka/one-shot-siamese):
//   - f is the configured network: the paper's is koch, at 105 x 105 pixels;
//   - one optimizer and one l2 for all layers; there each layer has its own rate, momentum and l2, found by
//     Bayesian optimisation and not published. l2 is 0 by default. Rates decayed by 1 % an epoch:
//     meta.schedule = exponential, meta.decay = 0.99;
//   - W, alpha ~ N(0, .2^2), b, beta ~ N(.5, .01^2) are the paper's.
// The paper's 92.0 % is of 20-way trials within an alphabet (omniglot.h); the Siamese rows in tables of
// Vinyals et al. and Finn et al. are of random characters.
#pragma once

#include "meta/algorithm.h"
#include "meta/moment.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm siamese();

// Places of samples in a task's batch, [T, pairs] int64, and 1 where both are of one class, [T, pairs].
struct SiamesePairs {
  torch::Tensor first, second, same;
};

// labels [T, samples], at least two classes and two samples of each; a function of (labels, pairs, now).
SiamesePairs siamese_pairs(const torch::Tensor& labels, int64_t pairs, const Moment& now);

}  // namespace innerloop
