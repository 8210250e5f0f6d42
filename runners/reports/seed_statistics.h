// Statistics over training seeds (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the
// Statistical Precipice"; definitions of point values as in their program rliable). No torch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace innerloop {

// Scores of one algorithm: for each problem (data set or environment) one of each training seed.
using SeedScores = std::vector<std::vector<double>>;

struct Interval {
  double low = 0, high = 0;
};

// A number, and the 95 % interval in which it lies had other seeds been drawn; none where there is one seed.
struct SeedEstimate {
  double value = 0;
  std::optional<Interval> ci95;
};

// Mean of what is left when the floor(n / 4) smallest and as many of the largest values are gone. Not empty.
double interquartile_mean(std::vector<double> values);
double interquartile_mean(const SeedScores& scores);  // of all problems and seeds together

// P(x > y) + P(x = y) / 2 for a seed of each drawn at random, mean over problems. As many problems in both.
double probability_of_improvement(const SeedScores& x, const SeedScores& y);

// The share of scores, over all problems and seeds, that are above tau.
double share_above(const SeedScores& scores, double tau);

// Linear between order statistics; `share` from 0 to 1. Not empty.
double quantile(std::vector<double> values, double share);

// The 2.5 % and 97.5 % quantiles of a statistic of `samples` whose seeds are drawn with replacement, within
// each problem of each sample on its own (stratified percentile bootstrap). Replicate r is a function of
// (seed, r) alone.
struct BootstrapConfig {
  int64_t replicates = 2000;
  uint64_t seed = 1;
};
using SeedStatistic = std::function<double(const std::vector<SeedScores>& samples)>;
Interval bootstrap_interval(const std::vector<SeedScores>& samples, const SeedStatistic& statistic,
                            const BootstrapConfig& config = {});

// Whether some problem of a sample has more than one seed, so that there is something to draw.
bool has_several_seeds(const SeedScores& scores);

SeedEstimate estimate_interquartile_mean(const SeedScores& scores, const BootstrapConfig& config = {});
// Of x over y; no interval unless both have several seeds.
SeedEstimate estimate_improvement(const SeedScores& x, const SeedScores& y,
                                  const BootstrapConfig& config = {});
SeedEstimate estimate_share_above(const SeedScores& scores, double tau, const BootstrapConfig& config = {});

}  // namespace innerloop
