// A sum over chunks that several processes hold, in the order of the chunks.
#pragma once

#include <vector>

#include "base/processes.h"
#include "networks/tensors/params.h"

namespace innerloop {

// `own` holds what this rank's share of `count` chunks gave. Returns, at every rank, the first plus the
// second plus the third and so on, rounded as one process rounds: rank r adds its chunks to what rank r - 1
// has so far. It goes in segments, so that many ranks add at the same time, and from the last rank with
// chunks to all.
Params sum_in_order(Processes& processes, int64_t count, const std::vector<Params>& own);

}  // namespace innerloop
