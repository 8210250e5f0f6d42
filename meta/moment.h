// When and why a pass over tasks is made: all that an algorithm may depend on beside meta-parameters and
// data.
//
// Deliberately without "iterations in all": that key may change between the parts of one training, and a
// resumed run must end with the bits of an uninterrupted one.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace innerloop {

struct Moment {
  uint64_t seed = 1;
  int64_t iteration = 0;   // meta-iterations done before
  bool training = true;    // false: held-out tasks
  int64_t first_task = 0;  // of the chunk, in the meta-batch or the evaluation

  // What an algorithm draws for task `task` of the chunk.
  Stream stream(int64_t task) const {
    const auto purpose = training ? Purpose::kAlgorithm : Purpose::kEvaluationAlgorithm;
    return Stream(
        StreamKey{seed, purpose, static_cast<uint64_t>(iteration), static_cast<uint64_t>(first_task + task)});
  }
};

}  // namespace innerloop
