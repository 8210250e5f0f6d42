// BOIL, body only update in the inner loop (Oh, Yoo, Kim and Yun, ICLR 2021, section 3; code: HJ-Yoo/BOIL).
//
//   phi_{k+1} = phi_k - alpha grad_body L_support(phi_k), the last layer as it is;
//   theta <- theta - beta grad L_query(phi_K) in all parameters
//
// The opposite of ANIL: the representation must change, as the last layer does not. The body is everything
// but the last layer, shifts and scales of normalisation included, as in the code. The meta-gradient is
// MAML's, exact in both parts.
//
// The paper's second idea, ResNet-12 whose last block has no shortcut, is a network, not part of this; the
// residual network here has it.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm boil();

}  // namespace innerloop
