// ProMP, proximal meta-policy search (Rothfuss et al. 2019, "ProMP: Proximal Meta-Policy Search", Alg. 1 and
// eq. 10).
//
//   inner   phi_{k+1} = phi_k + alpha grad mean(r A),  r = pi_phi / pi_old on the data of step k (LVC, eq. 9)
//   outer   mean_i -mean(min(r A, clip(r, 1 - epsilon, 1 + epsilon) A))      the query data, at phi_K
//           + mean_k eta_k KL(pi_old,k || pi_phi_k)                          the data of every inner step k <
//           K
//
// taken for several steps of the meta-optimizer on one meta-batch (meta.epochs), each of which adapts anew,
// from the moved theta, on the old trajectories. The mean over k is the authors' code; for one inner step it
// is the paper's sum.
//
//   promp.clip_ratio  epsilon
//   promp.kl_penalty  eta, at first
//   promp.target_kl   nats: halve eta_k after a meta-iteration whose KL at step k is below target_kl / 1.5,
//   double it
//                     above 1.5 target_kl (PPO's rule; 0.01 is the default of the code's class); 0: keep it,
//                     as the code's scripts do
//
// The losses are its own, whatever inner.estimator says. With adam, as published; trpo takes its step by the
// clipped loss as well.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm promp();

}  // namespace innerloop
