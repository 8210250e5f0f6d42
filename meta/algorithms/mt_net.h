// MT-nets (Lee and Choi, ICML 2018, section 4.2 and Algorithm 2; code: yoonholee/MT-net): T-nets (t_net.h)
// whose inner steps move only the outputs of a layer that a mask of the task chooses, so that also the
// subspace of the steps is learned.
//
//   W, b <- W, b - alpha m o grad L_support,   m in {0, 1}^out for each task, the same for all inputs of an
//   output m_j = 1 if zeta_j + g_1 > g_2 (probability sigma(zeta_j)),   g = -log(-log U), U ~ U(0, 1)
//
// The mask is differentiated as if it were softmax((zeta_j + g_1, g_2) / temperature) (straight through: Jang
// et al. 2017), so the meta-gradient is an approximation by design. zeta is "inner.mask.LAYER" [1, out], 0 at
// first: a half of the outputs moves. W and b of a layer share it. Masks are drawn on held-out tasks too.
//
// share = false, the code's other variant: a zeta and a mask for every weight (Algorithm 2 has one for every
// output), drawn anew for every inner step. Shifts and scales of normalisation, where they adapt, have no
// mask.
#pragma once

#include <memory>

#include "meta/algorithm.h"
#include "meta/update_rule.h"

namespace innerloop {

Algorithm mt_net();

// m as above, differentiable in zeta [1, ...]; u [2, T, ...]: U of g_1 and of g_2. [T, ...].
torch::Tensor gumbel_mask(const torch::Tensor& zeta, const torch::Tensor& u, double temperature);

// The inner step alone. UsageError unless step_size and temperature are positive.
std::shared_ptr<const UpdateRule> masked_step(double step_size, double temperature, bool share);

}  // namespace innerloop
