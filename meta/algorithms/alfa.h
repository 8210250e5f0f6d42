// ALFA, adaptive learning of hyperparameters for fast adaptation (Baik et al., NeurIPS 2020, section 3.2;
// code: baiksung/ALFA): a small network looks at weights and gradients before every inner step and says how
// long the step is and how much of the weights stays, for every tensor l of L that adapts.
//
//   tau = (mean of phi_1, .., mean of phi_L, mean of g_1, .., mean of g_L)          [T, 2 L]
//   (a_1 .. a_L, b_1 .. b_L) = V2 relu(V1 tau + v1) + v2,   the same network at every step
//   phi_l <- (1 - b_l B_{l,k}) phi_l - a_l A_{l,k} g_l
//
// A_{l,k} and B_{l,k}, a number for every tensor and step, are the official code's factors on what the
// network says: alpha and decay alpha at first. V1 [2L, 2L] and V2 start as a fresh torch.nn.Linear does, so
// that the first steps are short and of either sign. Everything is meta-learned: "inner.hidden.*",
// "inner.output.*", "inner.rate.NAME" and "inner.decay.NAME" [1, S]; steps beyond the S of training take the
// last.
//
//   constant_gradients   the mean gradients in tau are constants, as in that code: the meta-gradient then
//                        leaves out how they depend on phi. (MeTAL's code of ALFA differentiates them.)
//   random_init          the paper's ALFA + random init: the network keeps its random initial weights, which
//                        the outer loop does not learn; the decay has a factor for every weight too,
//                        "inner.weight_decay.NAME", and B starts at 1
#pragma once

#include <memory>

#include "meta/algorithm.h"
#include "meta/update_rule.h"

namespace innerloop {

struct AlfaConfig {
  double decay = 5e-4;
  bool constant_gradients = false;
  bool random_init = false;
};

Algorithm alfa();

// Its inner step alone. UsageError unless step_size is positive.
std::shared_ptr<const UpdateRule> adaptive_step(double step_size, int64_t steps, const AlfaConfig& config);

}  // namespace innerloop
