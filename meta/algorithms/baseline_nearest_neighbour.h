// Baseline-nearest-neighbor (Ravi and Larochelle, ICLR 2017, section 5.1; code:
// twitter-research/meta-learning-lstm, model/baselines/pre-train.lua, nearest-neighbor.lua and
// conv-nearest-neighbor.lua).
//
//   training        one classifier of all training classes (meta/algorithms/all_classes.h)
//   a held-out task gives a query the label of the support sample whose features, what the last layer sees,
//                   have the largest cosine with its own
//
// `distance = euclidean`: the smallest Euclidean distance instead, which is in no text of theirs.
// Normalisation by network.batch_norm, support and query set apart; theirs is by running averages
// (global_running). The score of a class is that of its nearest support sample, so that evaluation may have
// other ways.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm baseline_nearest_neighbour();

}  // namespace innerloop
