// How the loss of an episode is reduced and whose statistics normalise. No torch: configurations are read
// without it.
#pragma once

#include <string>

#include "base/row.h"

namespace innerloop {

// How the loss of a set of samples is reduced.
//   mean            mean over samples (and outputs)
//   sum_over_ways   sum over samples / shots, cbfinn/maml's scale (utils.py:xent): the support gradient is
//                   `ways` times that of the mean, so its step size 0.4 is 2.0 for the mean
enum class LossReduction { kMean, kSumOverWays };

inline const Spellings<LossReduction> kLossReductions{{"mean", LossReduction::kMean},
                                                      {"sum_over_ways", LossReduction::kSumOverWays}};

// UsageError with the known names.
inline LossReduction parse_loss_reduction(const std::string& name) {
  return find_named("loss reduction", kLossReductions, name).value;
}

}  // namespace innerloop
