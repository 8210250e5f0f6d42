// What every data set checks alike.
#pragma once

#include "datasets/dataset.h"

namespace innerloop {

// UsageError unless a task may have this shape: shots and queries of at least 1; at least 2 ways for
// classification, 1 for regression.
void require_shape(const DatasetSpec& spec, const EpisodeShape& shape);

// Error unless slice t of `episodes` holds a task of this shape: contiguous, inputs float32 or float64,
// targets of the same type or labels int64.
void require_slice(const DatasetSpec& spec, const EpisodeShape& shape, const Episodes& episodes, int64_t t);

}  // namespace innerloop
