// Meta face recognition, MFR (Guo, Zhu, Zhao, Cao, Lei and Li, "Learning Meta Face Recognition in Unseen
// Domains", CVPR 2020), in the frame of domain_method.h. Of a domain's batch of B identities with unit-norm
// embeddings g_i of the gallery and p_i of the probe, M_ij = g_i . p_j:
//
//   L_hp   = 1 / (2|P|) sum_{i in P} |g_i - p_i|^2 - 1 / (2|N|) sum_{(i,j) in N} |g_i - p_j|^2
//            P = {i: M_ii < tau_p},  N = {(i, j): i != j, M_ij > tau_n};  an empty set adds 0
//   L_cls  = 1 / (2B) sum_i CE(y_i, s g_i W') + CE(y_i, s p_i W')
//   L_da   = 1 / n sum_j |s (c_j - c)|^2   c_j the mean of all embeddings of domain j, c the mean of the c_j
//   L_S    = L_hp + L_cls + alignment L_da,   the first two the mean over the n - 1 meta-train domains
//   L_T    = L_hp + L_cls                     of the meta-test domain
//
// Read in a source: the update of domain_method.h and the set N (a reading note on the paper,
// hackmd.io/@ntechlab/HJdWH5zjL), the sampling of domains (the paper's abstract). The authors published no
// code, and the paper's text was not at hand: the equations of the three losses, their sum, and the defaults
// tau_p, tau_n, scale and gamma are from memory. Of choices that are not known to be the paper's:
//   - W has a learned row for every training identity, of length 1 where it is used and of a random direction
//     at first (not made from gallery features); the softmax is over the identities of the sample's own
//     domain. The inner step does not move W, which changes nothing: L_T reads no row that L_S does;
//   - samples of the meta-train domains pass as one batch (with batch statistics in common), the meta-test
//     domain as another;
//   - `alignment`, a factor of L_da, is 1 in the sum above.
// The paper starts from a network pretrained on MS-Celeb-1M; here training starts from nothing.
#pragma once

#include "meta/algorithm.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm mfr();

struct DomainPairs;

// L_hp, the mean over domains, [T].
torch::Tensor hard_pair_loss(const DomainPairs& pairs, double tau_p, double tau_n);
// L_da, [T].
torch::Tensor domain_alignment_loss(const DomainPairs& pairs, double scale);

}  // namespace innerloop
