// A network adapted to one task, taken away from it: what predicts new queries without the support set.
#pragma once

#include <cstdint>
#include <optional>

#include "meta/supervised/supervised_meta_learner.h"
#include "networks/tensors/params.h"

namespace innerloop {

// Queries in any number are passed so many at a time where none depends on another.
inline constexpr int64_t kQueriesAtOnce = 256;

struct AdaptedNetwork {
  Params parameters;  // what the learner's network reads, [1, ...]
  Params statistics;  // that normalise its inputs, [1, channels]; none where they are those of the inputs
};

// The learner's network after evaluation.steps on the episode's support set (T = 1). Nothing for a method
// that predicts by more than its network (by the support set itself, by several particles). It is tried: on
// the support set as queries these parameters predict what the method does.
std::optional<AdaptedNetwork> adapted_network(const SupervisedMetaLearner& learner, const Episodes& episode,
                                              const SupervisedEvaluationConfig& evaluation);

// Its output on queries x [1, N, input...]: [1, N, outputs]. Of the learner the network and its mode of
// normalisation count, not what it learned. Error if the parameters are not those of this network for
// evaluation.ways classes. Where the statistics are those of the inputs all queries are passed together.
torch::Tensor predict(const SupervisedMetaLearner& learner, const AdaptedNetwork& adapted,
                      const torch::Tensor& x, const SupervisedEvaluationConfig& evaluation);

// Whether a prediction depends on the other queries: batch normalisation by the statistics of what is
// predicted together.
bool queries_count_together(const SupervisedMetaLearner& learner);

}  // namespace innerloop
