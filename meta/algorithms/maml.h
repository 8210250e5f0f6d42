// Model-agnostic meta-learning (Finn, Abbeel and Levine 2017, Algorithms 2 and 3), and its first-order form
// (section 5.2): every part is the core's default.
//
//   phi_{k+1} = phi_k - alpha grad L_support(phi_k);   theta <- theta - beta grad sum_i L_query(phi_K)
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm maml();
Algorithm fomaml();

}  // namespace innerloop
