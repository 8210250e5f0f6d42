// Claims about statistics over training seeds: by hand, by numbers that rliable gave, and by rliable itself
// where it is installed.
#include "runners/reports/seed_statistics.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/random.h"
#include "tests/catch.h"
#include "tests/runners/python.h"
#include "tests/runners/scratch_folder.h"

using namespace innerloop;

namespace {

// Three problems; five seeds of A, four of B.
const SeedScores kA{
    {0.91, 0.87, 0.93, 0.90, 0.84}, {0.52, 0.61, 0.57, 0.55, 0.58}, {0.33, 0.35, 0.29, 0.41, 0.33}};
const SeedScores kB{{0.88, 0.87, 0.86, 0.92}, {0.60, 0.49, 0.55, 0.51}, {0.31, 0.36, 0.27, 0.33}};

void check_interval(const std::optional<Interval>& found, double low, double high, double tolerance) {
  REQUIRE(found);
  CHECK(found->low == Approx(low).margin(tolerance));
  CHECK(found->high == Approx(high).margin(tolerance));
}

}  // namespace

TEST_CASE("the interquartile mean leaves a quarter on either side out, rounded down", "[seed_statistics]") {
  CHECK(interquartile_mean(std::vector<double>{7}) == 7);
  CHECK(interquartile_mean(std::vector<double>{9, 1, 2}) == 4);
  CHECK(interquartile_mean(std::vector<double>{100, 2, -50, 4}) == 3);
  CHECK(interquartile_mean(std::vector<double>{8, 1, 2, 3, 4, 5, 6, 100}) == 4.5);
  CHECK_THROWS_WITH(interquartile_mean(std::vector<double>{}), contains("no values"));
}

TEST_CASE("an improvement counts the pairs that are won, ties by half", "[seed_statistics]") {
  CHECK(probability_of_improvement({{1, 3}}, {{2}}) == 0.5);
  CHECK(probability_of_improvement({{2, 3}}, {{2}}) == 0.75);
  CHECK(probability_of_improvement({{2, 3}, {0}}, {{2}, {1}}) == 0.375);
  CHECK(probability_of_improvement({{1, 2}}, {{1, 2}}) == 0.5);
  CHECK_THROWS_WITH(probability_of_improvement({{1}}, {{1}, {2}}), contains("1 and 2 problems"));
  CHECK_THROWS_WITH(probability_of_improvement({{1}}, {{}}), contains("without seeds"));
}

TEST_CASE("one seed has no interval over seeds", "[seed_statistics]") {
  CHECK(!estimate_interquartile_mean({{0.5}, {0.7}}).ci95);
  CHECK(!estimate_improvement({{0.5, 0.6}}, {{0.7}}).ci95);
  CHECK(!estimate_share_above({{0.5}}, 0.1).ci95);
  CHECK(estimate_interquartile_mean({{0.5}, {0.7, 0.8}}).ci95);
}

TEST_CASE("a bootstrap interval is a function of its seed, and draws within a problem", "[seed_statistics]") {
  const auto one = estimate_interquartile_mean(kA, {.replicates = 200, .seed = 3});
  const auto same = estimate_interquartile_mean(kA, {.replicates = 200, .seed = 3});
  const auto other = estimate_interquartile_mean(kA, {.replicates = 200, .seed = 4});
  CHECK(one.ci95->low == same.ci95->low);
  CHECK(one.ci95->high == same.ci95->high);
  CHECK((one.ci95->low != other.ci95->low || one.ci95->high != other.ci95->high));
  // Problems without spread leave none: no score crosses from one to another.
  const auto apart = estimate_interquartile_mean({{0, 0, 0}, {1, 1, 1}});
  CHECK(apart.ci95->low == 0.5);
  CHECK(apart.ci95->high == 0.5);
}

// aggregate_iqm, probability_of_improvement and run_score_deviation of rliable 1.2.0
// (numpy 2.4.6) on these scores; intervals by library.get_interval_estimates with 50,000 replicates.
TEST_CASE("statistics over seeds are those that rliable 1.2.0 gave", "[seed_statistics]") {
  CHECK(interquartile_mean(kA) == Approx(0.5888888888888889).margin(1e-12));
  CHECK(interquartile_mean(kB) == Approx(0.5616666666666666).margin(1e-12));
  CHECK(probability_of_improvement(kA, kB) == Approx(0.65).margin(1e-12));
  CHECK(probability_of_improvement(kB, kA) == Approx(0.35).margin(1e-12));
  CHECK(share_above(kA, 0.3) == Approx(0.9333333333333333).margin(1e-12));
  CHECK(share_above(kA, 0.55) == Approx(0.5333333333333333).margin(1e-12));
  CHECK(share_above(kA, 0.9) == Approx(0.13333333333333333).margin(1e-12));
  const BootstrapConfig many{.replicates = 5000};
  check_interval(estimate_interquartile_mean(kA, many).ci95, 0.56888889, 0.61, 0.003);
  check_interval(estimate_interquartile_mean(kB, many).ci95, 0.53333333, 0.58833333, 0.003);
  check_interval(estimate_improvement(kA, kB, many).ci95, 0.425, 0.85, 0.02);
  check_interval(estimate_share_above(kA, 0.3, many).ci95, 0.8, 1, 1e-9);  // fifteenths: no other is near
  check_interval(estimate_share_above(kA, 0.55, many).ci95, 0.4, 0.66666667, 1e-6);
  check_interval(estimate_share_above(kA, 0.9, many).ci95, 0, 0.26666667, 1e-6);
}

TEST_CASE("rliable finds the same on scores that are drawn", "[seed_statistics]") {
  const auto python = python_with("rliable, arch.bootstrap, numpy");
  if (!python) {
    WARN("not compared with rliable: python3 (or $INNERLOOP_PYTHON) has no package rliable that works");
    return;
  }
  const ScratchFolder folder;
  Stream stream({.seed = 5, .purpose = Purpose::kTest});
  SeedScores x(4, std::vector<double>(6)), y(4, std::vector<double>(3));
  for (auto* scores : {&x, &y}) {
    for (auto& problem : *scores) {
      for (double& score : problem) score = 0.01 * static_cast<double>(stream.below(100));  // with ties
    }
  }
  const auto found =
      nlohmann::json::parse(run_python(*python, folder.path(),
                                       concat(R"(
import json, warnings
warnings.filterwarnings('ignore')
import numpy as np
from rliable import library, metrics
x, y = (np.array(s).T for s in ()",
                                              nlohmann::json(x).dump(), ", ", nlohmann::json(y).dump(), R"())
np.random.seed(0)
iqm = lambda s: np.array([metrics.aggregate_iqm(s)])
_, interval = library.get_interval_estimates({'x': x}, iqm, reps=5000)
share = lambda s: np.array([np.mean(s > 0.5)])
_, shares = library.get_interval_estimates({'x': x}, share, reps=5000)
print(json.dumps({'iqm': [float(metrics.aggregate_iqm(s)) for s in (x, y)],
    'improvement': float(metrics.probability_of_improvement(x, y)),
    'share': float(library.run_score_deviation(x, 0.5)),
    'interval': interval['x'].ravel().tolist(), 'shares': shares['x'].ravel().tolist()}))
)")));
  CHECK(interquartile_mean(x) == Approx(found["iqm"][0].get<double>()).margin(1e-12));
  CHECK(interquartile_mean(y) == Approx(found["iqm"][1].get<double>()).margin(1e-12));
  CHECK(probability_of_improvement(x, y) == Approx(found["improvement"].get<double>()).margin(1e-12));
  CHECK(share_above(x, 0.5) == Approx(found["share"].get<double>()).margin(1e-12));
  const BootstrapConfig many{.replicates = 5000};
  const auto low_high = [&](const char* name) { return found[name].get<std::vector<double>>(); };
  check_interval(estimate_interquartile_mean(x, many).ci95, low_high("interval")[0], low_high("interval")[1],
                 0.01);
  check_interval(estimate_share_above(x, 0.5, many).ci95, low_high("shares")[0], low_high("shares")[1],
                 1.0 / 24 + 1e-9);  // a share is a multiple of 1/24
}
