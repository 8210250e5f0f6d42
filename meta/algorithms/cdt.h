// Cross-domain triplets, CDT (Faraki, Yu, Tsai, Suh and Chandraker, "Cross-Domain Similarity Learning for
// Face Recognition in Unseen Domains", CVPR 2021), in the frame of domain_method.h: triplets of one domain
// are measured with what pairs of another domain look like. With unit-norm embeddings of anchors a (gallery),
// positives p (their probes) and negatives n (probes of other identities), for domain j
//
//   Sigma+_j = mean of (a - p)(a - p)' over its pairs of one identity
//   Sigma-_j = mean of (a - n)(a - n)' over its pairs of two identities
//   L_cdt(i, j) = mean over triplets of i of [(a - p)' Sigma+_j (a - p) - (a - n)' Sigma-_j (a - n) + tau]_+
//
//   L_S = L_cls as in mfr.h, on the meta-train domains
//   L_T = mean over meta-train domains j of L_cdt(i, j) at theta', i the meta-test domain
//
// Read in a source (the paper's abstract and figure 1, and the claims of US 11,947,626): triplets of one
// domain under metrics from positive and negative pairs of another, the metrics made of covariances of the
// representations, a model-agnostic outer step without mining of hard pairs. The paper's equations were not
// at hand: L_cdt, the sums that are not centred, the sign and place of tau, and the mixture by lambda (gamma
// of domain_method.h) are from memory, and tau's default is a choice. So are:
//   - L_S, which the source leaves open;
//   - all B (B - 1) triplets of a batch are taken;
//   - metrics are those of the meta-train domains at theta', with the gradient through them unless
//     `metric_gradient = false`; all of a task's samples then pass as one batch.
#pragma once

#include <utility>

#include "meta/algorithm.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm cdt();

struct DomainPairs;

// (Sigma+, Sigma-), [T, D, E, E].
std::pair<torch::Tensor, torch::Tensor> pair_covariances(const DomainPairs& pairs);

// Of the triplets of one domain (D = 1) under the metrics of J domains, [T, J, E, E] each; the mean over
// them, [T].
torch::Tensor cross_domain_triplet_loss(const DomainPairs& pairs, const torch::Tensor& positive,
                                        const torch::Tensor& negative, double tau);

}  // namespace innerloop
