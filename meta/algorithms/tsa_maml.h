// TSA-MAML, task similarity aware MAML: an initialisation for each cluster of tasks (Zhou, Zou, Yuan, Feng,
// Xiong and Hoi, UAI 2021; what is said here follows their code, Carbonaraa/TSA-MAML, as the paper's text was
// not at hand).
//
//   1  a network theta trained by MAML: meta.start = its run
//   2  before the first iteration: phi of `solutions` training tasks, `assign_steps` inner steps from theta
//      on their support sets; k-means (k-means++, Euclidean distance of all weights) makes `groups`
//      clusters of them, whose means are the initialisations theta_g
//   3  training tasks come one after another; each goes to the group whose mean is nearest to its phi. Once a
//      group has meta.batch_size of them, theta_g takes one step of MAML on these: that is a
//      meta-iteration. theta and the means never move; every group has an Adam of its own (meta.optimizer =
//      adam_by_group)
//
//   held-out task: the group by the support set in the same way, then inner steps from theta_g
//
// Differences from the code: there the vector of weights leaves out the normalisation's shifts, which are
// then not copied into the groups and start at 0; here all entries that adapt are clustered and all are
// copied. There k-means is scikit-learn's; here `restarts` runs of Lloyd's algorithm, each until nothing
// moves or 300 times.
#pragma once

#include <cstdint>
#include <vector>

#include "meta/algorithm.h"

namespace innerloop {

Algorithm tsa_maml();

// The places of the first `size` tasks of one group among tasks that came in this order, of the group that
// has them first; empty if none has.
std::vector<size_t> first_full_group(const std::vector<int64_t>& groups, int64_t size);

}  // namespace innerloop
