#include "sampling/advantages.h"

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "sampling/linear_baseline.h"
#include "tests/catch.h"

namespace innerloop {
namespace {

// One task; observations[n][t] is the one number observed.
Trajectories record(const std::vector<std::vector<float>>& observations,
                    const std::vector<std::vector<float>>& rewards) {
  size_t horizon = 1;
  for (const auto& r : rewards) horizon = std::max(horizon, r.size());
  Trajectories out(1, static_cast<int64_t>(rewards.size()), static_cast<int64_t>(horizon), 1, 1);
  for (size_t n = 0; n < rewards.size(); ++n) {
    const auto i = static_cast<int64_t>(n);
    for (size_t t = 0; t < rewards[n].size(); ++t) {
      out.observation_buffer(0, i)(0, static_cast<Eigen::Index>(t)) = observations[n][t];
      out.reward_buffer(0, i)[static_cast<Eigen::Index>(t)] = rewards[n][t];
    }
    out.finish(0, i, static_cast<int64_t>(rewards[n].size()), false);
  }
  return out;
}

// Episodes of 3 to 9 steps of noise in two tasks; the second task has other numbers.
Trajectories noise(int64_t per_task) {
  Trajectories out(2, per_task, 9, 3, 1);
  Stream stream({.seed = 4});
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t n = 0; n < per_task; ++n) {
      for (Eigen::Index s = 0; s < 9; ++s) {
        for (Eigen::Index i = 0; i < 3; ++i)
          out.observation_buffer(t, n)(i, s) = static_cast<float>(stream.normal());
        out.reward_buffer(t, n)[s] = static_cast<float>(stream.normal() + static_cast<double>(t));
      }
      out.finish(t, n, 3 + static_cast<int64_t>(stream.below(7)), false);
    }
  }
  return out;
}

TEST_CASE("two episodes of two steps, worked by hand", "[advantages]") {
  // gamma = 1/2, lambda = 1/2. Rewards (1, 2) and (0, 4): returns (2, 2) and (2, 4). The observation tells
  // the step, so the baseline is the mean return of each step, b = (2, 3), but for a ridge of 1e-5.
  //   delta = (1 + 3/2 - 2, 2 - 3) = (1/2, -1)   and  (0 + 3/2 - 2, 4 - 3) = (-1/2, 1)
  //   A     = (1/2 - 1/4, -1)     = (1/4, -1)    and  (-1/4, 1)
  // Residuals R - b = (0, -1), (0, 1) have variance 1/2, the returns 3/4: 1/3 is explained.
  const auto x = record({{0, 1}, {0, 1}}, {{1, 2}, {0, 4}});
  const AdvantageConfig config{.discount = 0.5, .gae_lambda = 0.5, .standardize = false};
  const auto a = advantages(x, 0, config);
  REQUIRE(a.values.size() == 4);
  CHECK((a.values - Eigen::Vector4d(0.25, -1, -0.25, 1)).cwiseAbs().maxCoeff() < 1e-4);
  CHECK(a.baseline_explained_variance == Approx(1.0 / 3).margin(1e-4));
  // Mean 0, population variance (1/16 + 1) / 2.
  auto standard = config;
  standard.standardize = true;
  CHECK((advantages(x, 0, standard).values - a.values / std::sqrt(17.0 / 32)).cwiseAbs().maxCoeff() < 1e-4);
}

TEST_CASE("lambda 1 gives R - b, lambda 0 the temporal differences, between them the sum of the definition",
          "[advantages]") {
  const auto x = noise(12);
  const int64_t task = 1;
  std::vector<Eigen::Map<const Eigen::MatrixXf>> observations;
  std::vector<Eigen::VectorXd> returns;
  const double gamma = 0.9;
  for (int64_t n = 0; n < x.per_task(); ++n) {
    observations.push_back(x.observations(task, n));
    const auto r = x.rewards(task, n);
    Eigen::VectorXd sums = Eigen::VectorXd::Zero(r.size());
    for (Eigen::Index t = 0; t < r.size(); ++t) {
      for (Eigen::Index k = t; k < r.size(); ++k) {
        sums[t] += std::pow(gamma, static_cast<double>(k - t)) * static_cast<double>(r[k]);
      }
    }
    returns.push_back(sums);
  }
  LinearBaseline baseline;
  baseline.fit(observations, returns);
  const double lambda = GENERATE(0.0, 0.7, 1.0);
  const auto a = advantages(x, task, {.discount = gamma, .gae_lambda = lambda, .standardize = false});
  Eigen::Index at = 0;
  for (size_t n = 0; n < returns.size(); ++n) {
    const Eigen::VectorXd b = baseline.predict(observations[n]);
    const Eigen::Index length = b.size();
    Eigen::VectorXd delta(length);
    for (Eigen::Index t = 0; t < length; ++t) {
      const double next = t + 1 < length ? b[t + 1] : 0;
      delta[t] = static_cast<double>(x.rewards(task, static_cast<int64_t>(n))[t]) + gamma * next - b[t];
    }
    for (Eigen::Index t = 0; t < length; ++t, ++at) {
      double sum = 0;
      for (Eigen::Index k = t; k < length; ++k) {
        sum += std::pow(gamma * lambda, static_cast<double>(k - t)) * delta[k];
      }
      REQUIRE(a.values[at] == Approx(sum).margin(1e-12));
      if (lambda == 1) REQUIRE(a.values[at] == Approx(returns[n][t] - b[t]).margin(1e-12));
      if (lambda == 0) REQUIRE(a.values[at] == Approx(delta[t]).margin(1e-12));
    }
  }
  CHECK(at == x.steps(task));
}

TEST_CASE("standardised advantages have mean 0 and population standard deviation 1 over the task's steps",
          "[advantages]") {
  const auto x = noise(12);
  for (int64_t task = 0; task < 2; ++task) {
    const auto a = advantages(x, task, {});
    CHECK(a.values.size() == x.steps(task));
    CHECK(a.values.mean() == Approx(0).margin(1e-12));
    CHECK((a.values.array() - a.values.mean()).square().mean() == Approx(1).epsilon(1e-7));
  }
}

TEST_CASE("returns that do not vary: nothing to explain, and no division by zero", "[advantages]") {
  const auto x = record({{0}, {0}, {0}}, {{2}, {2}, {2}});
  const auto a = advantages(x, 0, {});
  CHECK(a.baseline_explained_variance == 0);
  CHECK(a.values.allFinite());
  CHECK(a.values.cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("a reward that is not finite is refused by task, trajectory and step", "[advantages]") {
  const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  const auto x = record({{0, 1}, {0, 1}}, {{1, 2}, {0, bad}});
  CHECK_THROWS_WITH(advantages(x, 0, {}), contains("task 0, trajectory 1, step 1: reward is"));
}

TEST_CASE("a baseline that cannot be fitted is an error that names the task", "[advantages]") {
  const auto x = record({{0, std::numeric_limits<float>::quiet_NaN()}}, {{1, 2}});
  CHECK_THROWS_WITH(advantages(x, 0, {}), contains("task 0: linear baseline: no finite solution"));
  CHECK_THROWS_AS(advantages(x, 1, {}), Error);
}

}  // namespace
}  // namespace innerloop
