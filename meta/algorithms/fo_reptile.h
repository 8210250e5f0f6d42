// First-order MAML in Reptile's frame (Nichol, Achiam and Schulman 2018, sections 3 and 6.1; FOML of
// openai/supervised-reptile): the initialisation moves by what the last of K inner steps did.
//
//   theta <- theta + eps mean_i (phi_{i,K} - phi_{i,K-1})
//
// Inner optimizer, mini-batches and what is said of the official code are Reptile's (reptile.h). The first K
// - 1 steps adapt, the last one judges:
//
//   tail_shots = 0     it sees a mini-batch like the others, which may overlap with theirs
//   tail_shots = S     it sees S samples of every class that no other step sees, all at once; the others
//                      draw their mini-batches from the rest of the support set
//
// With plain steps and S = shots of a query set this is first-order MAML (fomaml) with K - 1 steps. Held-out
// tasks adapt on their whole support set.
#pragma once

#include <cstdint>
#include <vector>

#include "meta/algorithm.h"

namespace innerloop {

Algorithm fo_reptile();

// The samples of a support set of `ways` classes, class after class, that belong to the last `tail` of their
// class, and the others.
struct TailSplit {
  std::vector<int64_t> rest, tail;
};
TailSplit tail_split(int64_t samples, int64_t ways, int64_t tail);

}  // namespace innerloop
