// Reptile (Nichol, Achiam and Schulman 2018, Algorithm 2): the initialisation moves towards what K inner
// steps make of it.
//
//   theta <- theta + eps mean_i (phi_{i,K} - theta)
//
// is plain gradient descent, with step size eps = meta.step_size, on theta - phi_K in the place of a
// meta-gradient; the paper's decay of eps to 0 is meta.schedule = linear. Nothing is differentiated through
// the inner steps. The reported loss is the query loss at phi_K, which training does not use.
// last_gradient_only (--foml of the official code): theta + eps mean_i (phi_{i,K} - phi_{i,K-1}).
//
// Inner steps are Adam's with beta1 = 0, beta2 = 0.999, epsilon = 1e-8 in TensorFlow's form,
//
//   v_{k+1} = beta2 v_k + (1 - beta2) g_k^2,   v_0 = 0
//   phi_{k+1} = phi_k - alpha sqrt(1 - beta2^{k+1}) g_k / (sqrt(v_{k+1}) + epsilon)
//
// or plain ones (optimizer = sgd), on mini-batches of the support set: consecutive slices of one shuffled
// pass after another, so that a slice may straddle two passes.
//
// Two differences from the official code (openai/supervised-reptile):
//
//   Adam's v and k start anew with every task, as tasks are adapted in parallel. There they live on from
//   task to task in training, and an evaluation's are forgotten after every task.
//
//   The inner loss is the mean over the mini-batch. There it is the sum, which Adam sees through epsilon
//   alone; for optimizer = sgd the official step size s is inner.step_size = s times the mini-batch. With
//   inner.loss_reduction = sum_over_ways a sample weighs 1 / shots, however small the mini-batch.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "meta/algorithm.h"
#include "meta/meta_objective.h"
#include "meta/update_rule.h"

namespace innerloop {

Algorithm reptile();

// The inner Adam alone. UsageError unless step_size is positive.
std::shared_ptr<const UpdateRule> adam_without_momentum(double step_size);

// The objective whose "gradient" is theta - phi_K; last_step_only: phi_{K-1} - phi_K. Its value is the query
// loss at phi_K.
std::shared_ptr<const MetaObjective> displacement(bool last_step_only);

// Which of `samples` support samples step `step` of a task sees; `stream` as it is before anything is drawn.
std::vector<int64_t> mini_batch(Stream stream, int64_t samples, int64_t size, int64_t step);

}  // namespace innerloop
