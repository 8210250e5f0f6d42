// MeTAL, meta-learning with task-adaptive loss function (Baik et al., ICCV 2021, sections 3.2 to 3.4; code:
// baiksung/MeTAL): small networks learn what to add to the loss of each inner step.
//
//   L_k(phi) = L_support(phi) + mean_i l_k(x_i) over the support samples + mean_j l'_k(x'_j) over the query
//   samples phi_{k+1} = phi_k - alpha grad L_k(phi_k)
//
//   t     = (L_support, mean of phi_1, .., mean of phi_L)     the weights of the network, L tensors without
//   norms x_i   = (t, logits of sample i, its label one-hot)        [L + 1 + 2 N] x'_j  = (mean of phi_1, ..,
//   mean of phi_L, logits of sample j, sum_c p_c log p_c)     [L + N + 1], no label l(x)  = w2 relu(W1 x +
//   b1) + b2,   W1 square
//
// Inputs are standardised, (x - mean) / (standard deviation + 1e-12), a task's whole matrix by one mean and
// one (unbiased) standard deviation. The four tensors of l depend on the learner's state,
//
//   w <- (1 + m g(s)) w + o d(s),   s = t standardised; of l' the mean of the standardised x' over the
//   samples (g, d) = A2 relu(A1 s + a1) + a2   [4 each],   m, o [4] meta-learned, 0 at first
//
// so that the first meta-iterations learn m, o and the plain losses alone. Every step k has networks of its
// own, "loss.support.*", "adapter.support.*" and the same of query [1, S, ...]; steps beyond S take the last.
// They ride along in phi and do not adapt; nothing is detached, so the meta-gradient is exact.
//
//   query_branch = false   without l', the paper's supervised form. With it (the paper's semi-supervised
//                          form, and the code) the unlabelled queries are part of the task: support and
//                          query set are passed as one batch, inside, outside and on held-out tasks, so
//                          that in batch mode they share their statistics.
//   outer_loss             query: the paper's. support_and_query: the code's, cross-entropy over all samples.
//
// The paper's regression experiments are not covered.
#pragma once

#include "meta/algorithm.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm metal();

// Every task's numbers of x [T, ...] by their mean and unbiased standard deviation.
torch::Tensor standardised(const torch::Tensor& x);

}  // namespace innerloop
