// Verification and identification among classes never trained on (meta/supervised/verification.h): of every
// class of a split one image is the gallery and another the probe.
//
// Pairs are within a domain where the data set has domains (datasets/domains.h), else within the split. What
// two samples' similarity is: meta/pair_similarity.h; a method adapts to nothing here. Batch normalisation by
// `global_running` uses the averages of training; of the other modes a block of at most 128 identities, their
// gallery samples and probes together, shares its statistics.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "meta/supervised/supervised_meta_learner.h"
#include "meta/supervised/verification.h"

namespace innerloop {

inline constexpr int64_t kMostVerificationPairs = 1'000'000;

// By domain; images, and pairs where they are more than `most_pairs` in a domain, are drawn by `seed`, the
// same whatever was trained. UsageError for a data set without classes, and for a domain of one class or of
// one with fewer than two images.
std::vector<VerificationTrials> study_verification(const SupervisedMetaLearner& learner, Split split,
                                                   uint64_t seed,
                                                   int64_t most_pairs = kMostVerificationPairs);

}  // namespace innerloop
