// Bayesian MAML (Yoon, Kim, Dia, Kim, Bengio and Ahn, NeurIPS 2018, sections 4.1 and 4.2; code:
// jsikyoon/bmaml) for regression: M particles Theta, each a network with two scales of its own, follow a
// task's posterior by Stein variational gradient descent (Liu and Wang 2016), and are meta-learned to arrive
// near where more data leads.
//
//   theta_m <- theta_m + alpha / M sum_j [ k(theta_j, theta_m) grad log p(theta_j | D) + grad_j k(theta_j,
//   theta_m) ] k(a, b) = exp(-|a - b|^2 / h),   h = median of the M^2 squared distances / log M, a constant
//   chaser Theta^n: K = inner.steps steps on the support set; leader Theta^{n+s}: `leader_steps` further ones
//   from there on support and query set together; L = sum_m |theta^n_m - leader_m|^2 over the network's
//   entries, the leader a constant (eq. 7)
//
//   log p(theta | D) = sum over samples and outputs of log(gamma)/2 - gamma (y - f)^2 / 2
//                      + P log(lambda)/2 - lambda |w|^2 / 2      w: all P weights and biases
//                      + log Gamma(gamma; 2, .2) + log Gamma(lambda; 2, 2) + log gamma + log lambda, up to
//                      constants
//
// gamma and lambda are kept as logarithms, "log_gamma" and "log_lambda" [1, M], and move with alpha log_rate;
// the last two terms are that change of variables. They are in k, and not in L. The chaser's gradient goes
// through the kernel and all Hessians, not through h. A prediction is the mean over particles.
//
// What the official code does otherwise, as keys (the paper's the default):
//
//   kernel_gradient    2: the derivative of k. 1: the code's, half of it, a weaker repulsion
//   log_gamma, log_lambda      what the scales start around: theirs -log(.01) and 0, N(., .001^2)
//
// With M = 1 there is no kernel: plain ascent. Particles are drawn each for itself.
#pragma once

#include <cstdint>
#include <memory>

#include "meta/algorithm.h"
#include "meta/update_rule.h"

namespace innerloop {

struct BmamlConfig {
  int64_t particles = 10;
  int64_t leader_steps = 1;
  double kernel_gradient = 2;
  double log_rate = 1;
  double log_gamma = 4.605170185988092;  // -log(.01)
  double log_lambda = 0;
};

Algorithm bmaml();

// An SVGD step on phi [T, M, ...] with the gradient of -log p. UsageError unless step_size is positive.
std::shared_ptr<const UpdateRule> svgd_step(double step_size, const BmamlConfig& config);

// -log p of the rows of a batch: y, target [R, N, outputs]; own: "log_gamma" and "log_lambda" [R, 1] and the
// network's entries [R, ...] -> [R].
torch::Tensor negative_log_posterior(const torch::Tensor& y, const torch::Tensor& target, const Params& own);

}  // namespace innerloop
