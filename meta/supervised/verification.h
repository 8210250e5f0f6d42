// Figures of identification and verification from similarities of a gallery and probes, as face recognition
// has them (Guo et al., CVPR 2020, section 4; Grother et al., NIST FRVT): every identity has one gallery
// sample and one probe.
//
//   genuine    the N pairs of an identity's probe with its own gallery sample
//   impostor   pairs of a probe with another identity's gallery sample, in all N (N - 1)
//   FAR(t)     share of the impostor pairs with a similarity of t or more
//   TAR(t)     share of the genuine pairs with a similarity of t or more
//   TAR at f   TAR(t) of the lowest t with FAR(t) <= f: nothing is interpolated, and pairs of one similarity
//              are taken together or not at all
//   rank-1     share of the probes whose own gallery sample is the likest; one of k likest counts 1 / k
//   AUC        P(genuine > impostor) + P(genuine = impostor) / 2
//   EER        where FAR(t) = 1 - TAR(t), between thresholds on the line that joins them
//
// With domains pairs are within a domain, and the figures are of all of them under one threshold. No torch.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"

namespace innerloop {

inline constexpr std::array<double, 4> kFalseAcceptRates{1e-1, 1e-2, 1e-3, 1e-4};

struct ImpostorPair {
  float similarity = 0;
  int32_t gallery = 0, probe = 0;  // identities
};

// What was found of one domain.
struct VerificationTrials {
  std::string domain;
  std::vector<float> genuine;  // of each identity
  std::vector<double> rank1;   // of each identity's probe, 0 to 1
  std::vector<ImpostorPair> impostors;

  int64_t identities() const { return static_cast<int64_t>(genuine.size()); }
};

// From `row`(probe): its similarity to the gallery samples of all identities. Of N (N - 1) impostor pairs
// all, or where they are more than `most` as many of each probe as come nearest to it, drawn from `stream`.
VerificationTrials verification_trials(int64_t identities,
                                       const std::function<const float*(int64_t probe)>& row, int64_t most,
                                       Stream& stream);

struct VerificationFigures {
  double rank1 = 0;
  std::array<double, kFalseAcceptRates.size()> tar{};  // at kFalseAcceptRates
  double auc = 0, eer = 0;
};

// With their 95 % intervals: percentiles of a bootstrap over identities, which are drawn anew within each
// domain, with their genuine pair, their probe's rank and all their impostor pairs (a pair counts as often as
// both of its identities together; the gallery that a probe is ranked in stays). A pure function of its
// arguments.
struct VerificationResult {
  VerificationFigures value, low, high;
  int64_t identities = 0, genuine = 0, impostors = 0;
};
VerificationResult verify(const std::vector<VerificationTrials>& domains, int64_t replicates, uint64_t seed);

// Points of the curve of TAR over FAR, thresholds downwards, from (0, TAR with no false accept) to (1, 1);
// of many at most about `most`, evenly by the logarithm of FAR.
struct RocPoint {
  double far = 0, tar = 0;
};
std::vector<RocPoint> roc_curve(const std::vector<VerificationTrials>& domains, size_t most = 400);

// The share of pairs told right, genuine and impostor pairs counting alike: (TAR(t) + 1 - FAR(t)) / 2. And
// the threshold at which it is best, in the middle between two similarities, of equal ones the highest.
double verification_accuracy(const std::vector<VerificationTrials>& domains, double threshold);
double best_threshold(const std::vector<VerificationTrials>& domains);

}  // namespace innerloop
