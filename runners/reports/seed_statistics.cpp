#include "runners/reports/seed_statistics.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"

namespace innerloop {
namespace {

SeedScores drawn_with_replacement(const SeedScores& scores, Stream& stream) {
  SeedScores out = scores;
  for (size_t problem = 0; problem < scores.size(); ++problem) {
    for (double& score : out[problem]) score = scores[problem][stream.below(scores[problem].size())];
  }
  return out;
}

void require_scores(const SeedScores& scores) {
  require(!scores.empty(), "no problems, no statistics over seeds");
  for (const auto& problem : scores) require(!problem.empty(), "a problem without seeds has no statistics");
}

}  // namespace

double interquartile_mean(std::vector<double> values) {
  require(!values.empty(), "no values, no interquartile mean");
  std::sort(values.begin(), values.end());
  const size_t cut = values.size() / 4;
  double sum = 0;
  for (size_t i = cut; i < values.size() - cut; ++i) sum += values[i];
  return sum / static_cast<double>(values.size() - 2 * cut);
}

double interquartile_mean(const SeedScores& scores) {
  std::vector<double> all;
  for (const auto& problem : scores) all.insert(all.end(), problem.begin(), problem.end());
  return interquartile_mean(std::move(all));
}

double probability_of_improvement(const SeedScores& x, const SeedScores& y) {
  require_scores(x);
  require_scores(y);
  require(x.size() == y.size(), "an improvement on ", x.size(), " and ", y.size(),
          " problems, expected the same ones");
  double sum = 0;
  for (size_t problem = 0; problem < x.size(); ++problem) {
    double won = 0;
    for (const double a : x[problem]) {
      for (const double b : y[problem]) won += a > b ? 1 : a == b ? 0.5 : 0;
    }
    sum += won / static_cast<double>(x[problem].size() * y[problem].size());
  }
  return sum / static_cast<double>(x.size());
}

double share_above(const SeedScores& scores, double tau) {
  require_scores(scores);
  int64_t above = 0, all = 0;
  for (const auto& problem : scores) {
    all += static_cast<int64_t>(problem.size());
    above += std::count_if(problem.begin(), problem.end(), [tau](double score) { return score > tau; });
  }
  return static_cast<double>(above) / static_cast<double>(all);
}

double quantile(std::vector<double> values, double share) {
  require(!values.empty(), "no values, no quantile");
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(place);
  const size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (place - std::floor(place)) * (values[high] - values[low]);
}

Interval bootstrap_interval(const std::vector<SeedScores>& samples, const SeedStatistic& statistic,
                            const BootstrapConfig& config) {
  for (const auto& sample : samples) require_scores(sample);
  std::vector<double> found;
  for (int64_t r = 0; r < config.replicates; ++r) {
    Stream stream(
        {.seed = config.seed, .purpose = Purpose::kBootstrap, .iteration = static_cast<uint64_t>(r)});
    std::vector<SeedScores> drawn;
    for (const auto& sample : samples) drawn.push_back(drawn_with_replacement(sample, stream));
    found.push_back(statistic(drawn));
  }
  return {quantile(found, 0.025), quantile(found, 0.975)};
}

bool has_several_seeds(const SeedScores& scores) {
  return std::any_of(scores.begin(), scores.end(), [](const auto& problem) { return problem.size() > 1; });
}

SeedEstimate estimate_interquartile_mean(const SeedScores& scores, const BootstrapConfig& config) {
  SeedEstimate out{.value = interquartile_mean(scores), .ci95 = {}};
  if (!has_several_seeds(scores)) return out;
  out.ci95 = bootstrap_interval(
      {scores}, [](const auto& drawn) { return interquartile_mean(drawn.front()); }, config);
  return out;
}

SeedEstimate estimate_improvement(const SeedScores& x, const SeedScores& y, const BootstrapConfig& config) {
  SeedEstimate out{.value = probability_of_improvement(x, y), .ci95 = {}};
  if (!has_several_seeds(x) || !has_several_seeds(y)) return out;
  out.ci95 = bootstrap_interval(
      {x, y}, [](const auto& drawn) { return probability_of_improvement(drawn[0], drawn[1]); }, config);
  return out;
}

SeedEstimate estimate_share_above(const SeedScores& scores, double tau, const BootstrapConfig& config) {
  SeedEstimate out{.value = share_above(scores, tau), .ci95 = {}};
  if (!has_several_seeds(scores)) return out;
  out.ci95 = bootstrap_interval(
      {scores}, [tau](const auto& drawn) { return share_above(drawn.front(), tau); }, config);
  return out;
}

}  // namespace innerloop
