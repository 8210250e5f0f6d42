// Model-agnostic meta-learning (Finn, Abbeel and Levine 2017, Algorithms 2 and 3), and its first-order form
// (section 5.2): every part is the core's default.
//
//   phi_{k+1} = phi_k - alpha grad L_support(phi_k);   theta <- theta - beta grad sum_i L_query(phi_K)
//
// initial_weight, which is not the papers' (0, the default, is): of the loss before adaptation in the
// meta-objective,
//
//   sum_i L_query(phi_K) + initial_weight L_query(theta),
//
// one more term of MAML++'s multi-step loss (Antoniou et al. 2019, eq. 3), whose sum begins after the first
// inner step. For policies it is the return of the trajectories that are adapted to, which are there anyway:
// theta then goes on doing the task, where MAML's alone lets it become whatever is adapted best.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm maml();
Algorithm fomaml();

}  // namespace innerloop
