// Matching networks without fully conditional embeddings (Vinyals, Blundell, Lillicrap, Kavukcuoglu and
// Wierstra, NeurIPS 2016, eq. 1 and section 2.1.1): softmax attention over the cosines with the support
// samples.
//
//   a(q, x_i) = softmax_i s cos(f(q), f(x_i));   p(y | q) = sum_i a(q, x_i) [y_i = y];   loss -log p(y)
//
// scale = 1, s, is the paper's. Cosines differ by at most 2, of features behind rectified units by 1, so that
// no class of five gets more than 0.65, or 0.40: the loss stays high, and what is already right still pushes.
// Later work scales them: 100 in Chen et al. 2019 (ICLR; wyharveychen/CloserLookFewShot, matchingnet.py).
//
// f is the network without its last layer, the same for support and query. The authors published no code.
// Ravi and Larochelle's (ICLR 2017; twitter-research/meta-learning-lstm, model/baselines/matching-net.lua)
// scores otherwise:
//
//   scores = attention   the paper's
//   scores = sum         logits are sum_i s cos(f(q), f(x_i)) [y_i = y]: a sum over a class' shots, no
//   softmax
//                        over the support set
//
// Their network's dropout of 0.1 is left out. The paper's equations were not read in its own text but in
// that code and in descriptions of the paper.
#pragma once

#include "meta/algorithm.h"
#include "meta/feature_classifier.h"

namespace innerloop {

Algorithm matching();

inline constexpr keys::Interval kMatchingScale{0, 1e6, true, false, "a number above 0 and at most 1000000"};

struct MatchingScores {
  bool sum = false;
  double scale = 1;
};

// Logits [T, queries, ways]: log p(y | q), or the sums of scaled cosines, finite at any scale. A cosine with
// a feature vector of zeros is 0, and so are its derivatives' limits: |f|^2 has 1e-12 added, as Torch7's
// nn.CosineDistance has it.
torch::Tensor matching_scores(const FeatureSets& sets, const MatchingScores& scores);

}  // namespace innerloop
