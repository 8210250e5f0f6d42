// E-MAML (Stadie, Yang, Houthooft, Chen, Duan, Wu, Abbeel and Sutskever 2018, "Some considerations on
// learning to explore via meta-reinforcement learning", section 3; code: trpo_maml.py of ProMP's authors).
//
// The return after adaptation depends on theta in two ways: through phi_K, which MAML differentiates, and
// through what theta samples to adapt to. E-MAML adds the score of that sampling,
//
//   L_i = L_query(phi_{i,K}) - weight c_i mean_t log pi_{phi_{i,k}}(a_t | o_t)     over the trajectories of
//                                                                                  inner step k = 0
//   c_i = mean over the steps of the adapted policy's trajectories of (r - m) / (s + 1e-8)
//
// with m, s the mean and deviation of the rewards of all tasks' such steps: a task that went better than
// others makes the exploration that led there likelier. Rewards are raw, neither discounted nor advantages,
// as in the code.
//
//   e_maml.credit  which inner steps' sampling is credited. first: step 0 alone, as the code does, which says
//                  that it is unsure of more steps. all: every k < K, each through its own phi_k: the whole
//                  score of what the adaptation read. The same for inner.steps = 1
//   e_maml.weight  of the term; 1 is the paper's. 0 is MAML
//
// c_i is a constant of the iteration's data. The gradient is that of the stated loss, exactly; of the
// expected return after adaptation it is an unbiased estimate where c_i is the return itself and the inner
// loss has the Hessian of the expected one (tested on a bandit).
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm e_maml();

}  // namespace innerloop
