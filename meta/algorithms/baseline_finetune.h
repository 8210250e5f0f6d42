// Baseline-finetune (Ravi and Larochelle, ICLR 2017, section 5.1; code: twitter-research/meta-learning-lstm,
// model/baselines/pre-train.lua and pre-trained-SGD.lua).
//
//   training        one classifier of all training classes (meta/algorithms/all_classes.h)
//   a held-out task gets a new last layer, and evaluation.steps steps on the whole support set,
//                   phi_{k+1} = phi_k - alpha / (1 + k decay) grad L_support(phi_k),   k = 0, 1, ...
//
// Their code takes these steps in all entries of the network, which `adapt = all` is; `adapt = head` leaves
// all but the last layer as trained. Its new layer is drawn once, the same for every task: `head = random`,
// weights and biases U(-1/sqrt(F), 1/sqrt(F)) for F features, as Torch7's nn.Linear has them (that from
// memory, not from a text), from a stream of no seed; `head = zero` is joint's. Normalisation by
// network.batch_norm; theirs adapts in training mode and predicts by running averages, which
// per_task_running comes nearest to.
//
// They choose alpha and decay on validation tasks, for each number of shots, from {.5, .1, .01, 1e-3, 1e-4,
// 1e-5} x {1, .1, .01, 1e-3, 1e-4, 1e-5, 0}. Nothing chooses here: no training depends on these keys, so that
// one run serves all of the grid. The defaults are from the grid; which pair theirs was is not known.
// The keys' meaning of the paper is from its code; the paper's own text was not at hand.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm baseline_finetune();

}  // namespace innerloop
