// CAVIA, fast context adaptation via meta-learning (Zintgraf et al., ICML 2019, section 4.1; code:
// lmzintgraf/cavia).
//
//   The network reads [x, c]: its first layer is W x + b + W_c c. The context c of a task starts at 0 and is
//   all that adapts, c_{k+1} = c_k - alpha grad_c L_support(c_k); the outer loop learns W, b, W_c and the
//   rest.
//
// W_c is "context.weight" [1, hidden, contexts], drawn U(-a, a), a = 1 / sqrt(inputs + contexts), as the
// code's first layer over the joined input; c is "context" [T, contexts] of phi. The paper's step size is
// alpha = 1.
//
// For networks and policies whose first layer is fully connected. (The paper's image networks take the
// context through FiLM in a convolution: refused here, not approximated.)
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm cavia();

}  // namespace innerloop
