// MLTI, meta-learning with task interpolation (Yao, Zhang and Finn, ICLR 2022, section 4 and Algorithm 1;
// code: huaxiuyao/MLTI): training tasks between the tasks there are. For each task i of a meta-batch a
// partner j of the same meta-batch (j = i may be), a layer l from {0, .., L_s} and lambda ~ Beta(a, a):
//
//   H~ = lambda H_i^l + (1 - lambda) H_j^l     of support and query samples; l = 0: the inputs
//
// What H~ becomes in the layers after l is learned from. With `with = maml` these layers alone adapt,
// phi^{L-l}; those up to l stay theta's, and get their meta-gradient through every H~. With `with =
// prototypical` the class means and queries are those of the H~. Held-out tasks are adapted to as MAML and
// prototypical networks do.
//
//   label_sharing = false   labels mean nothing across tasks: class r of i is paired with a class r' of j
//                           drawn without repetition, and the mixed samples have the new label r
//   label_sharing = true    label r is the same class in every task (always so where targets are numbers):
//                           with maml any sample is paired with any, and the loss is lambda L(y_i) +
//                           (1 - lambda) L(y_j) (targets: that of the mixed target); with prototypical
//                           samples of one label
//
//   mix = linear            the paper's
//   mix = cutmix            images: a box of the input of the share sqrt(1 - lambda) of its sides at a
//                           uniform centre keeps i's pixels, all around it are j's; one box for all support
//                           samples, one for all queries. As in the code for images, where the box is i's
//                           although it grows as lambda falls, and labels are i's (label_sharing: weighed by
//                           lambda).
//
// The training's query metric is that of the tasks i and j unmixed, after adaptation to the mixed one.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm mlti();

}  // namespace innerloop
