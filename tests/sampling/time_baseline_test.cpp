#include "sampling/time_baseline.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "tests/catch.h"

namespace innerloop {
namespace {

// One task of two episodes, of `first` and 100 steps; reward(n, t).
template <class Reward>
Trajectories record(int64_t first, float observation, Reward reward) {
  Trajectories out(1, 2, 100, 1, 1);
  for (int64_t n = 0; n < 2; ++n) {
    const int64_t length = n == 0 ? first : 100;
    for (Eigen::Index t = 0; t < length; ++t) {
      out.observation_buffer(0, n)(0, t) = observation * static_cast<float>(t + n);
      out.reward_buffer(0, n)[t] = static_cast<float>(reward(n, t));
    }
    out.finish(0, n, length, false);
  }
  return out;
}

TEST_CASE("rewards over time: what time alone tells is taken away, and nothing else is looked at",
          "[advantages]") {
  const AdvantageConfig config{.discount = 1, .standardize = false};
  const auto cubic = [](int64_t, Eigen::Index t) { return 1 - 0.02 * static_cast<double>(t); };
  CHECK(rewards_over_time(record(60, 1, cubic), 0, config).cwiseAbs().maxCoeff() < 1e-3);

  // Episodes one above and one below: a baseline of time lies between them, whatever is observed.
  const auto apart = [](int64_t n, Eigen::Index) { return n == 0 ? 3.0 : 1.0; };
  const auto c = rewards_over_time(record(100, 1, apart), 0, config);
  CHECK((c.head(100).array() - 1).abs().maxCoeff() < 1e-3);
  CHECK((c.tail(100).array() + 1).abs().maxCoeff() < 1e-3);
  CHECK(rewards_over_time(record(100, 50, apart), 0, config) == c);

  // Discounted by the step within the episode: 1, 1/2, 1/4, ... in both, so nothing is left of it but what a
  // cubic cannot follow.
  const auto raw = record(100, 1, [](int64_t n, Eigen::Index t) { return t == 40 && n == 0 ? 16.0 : 0.0; });
  const auto halved = rewards_over_time(raw, 0, {.discount = 0.5, .standardize = false});
  CHECK(halved.cwiseAbs().maxCoeff() < 1e-9);  // 16 / 2^40
  const auto whole = rewards_over_time(raw, 0, config);
  CHECK(whole[40] - whole[140] == Approx(16));
}

TEST_CASE("rewards over time: standardised over all steps, and errors that tell the place", "[advantages]") {
  const auto wave = [](int64_t n, Eigen::Index t) {
    return std::sin(0.7 * static_cast<double>(t)) + 0.1 * static_cast<double>(n);
  };
  const auto plain = rewards_over_time(record(60, 1, wave), 0, {.discount = 0.99, .standardize = false});
  const auto standard = rewards_over_time(record(60, 1, wave), 0, {.discount = 0.99});
  REQUIRE(standard.size() == 160);
  CHECK(standard.mean() == Approx(0).margin(1e-12));
  CHECK(standard.squaredNorm() / 160 == Approx(1));
  const double scale = (plain[1] - plain[0]) / (standard[1] - standard[0]);
  CHECK((plain.array() - plain.mean() - scale * standard.array()).abs().maxCoeff() < 1e-9);

  CHECK_THROWS_WITH(rewards_over_time(record(60, 1, wave), 1, {}), contains("task 1 asked"));
  auto bad = record(60, 1, [](int64_t n, Eigen::Index t) {
    return n == 1 && t == 5 ? std::numeric_limits<double>::infinity() : 0.0;
  });
  CHECK_THROWS_WITH(rewards_over_time(bad, 0, {}), contains("trajectory 1"));
}

}  // namespace
}  // namespace innerloop
