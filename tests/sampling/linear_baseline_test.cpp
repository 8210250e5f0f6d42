#include "sampling/linear_baseline.h"

#include <Eigen/LU>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "tests/catch.h"

namespace innerloop {
namespace {

using Observations = std::vector<Eigen::Map<const Eigen::MatrixXf>>;

Eigen::Map<const Eigen::MatrixXf> view(const Eigen::MatrixXf& x) { return {x.data(), x.rows(), x.cols()}; }

TEST_CASE("one-step episodes that observe nothing: the ridge mean, by hand", "[linear_baseline]") {
  // Only the constant feature is not 0: w = (1 + 3) / (2 + 1e-5).
  const Eigen::MatrixXf nothing = Eigen::MatrixXf::Zero(1, 1);
  LinearBaseline baseline;
  baseline.fit({view(nothing), view(nothing)},
               {Eigen::VectorXd::Constant(1, 1), Eigen::VectorXd::Constant(1, 3)});
  Eigen::VectorXd expected = Eigen::VectorXd::Zero(6);
  expected[5] = 4 / 2.00001;
  CHECK((baseline.coefficients() - expected).cwiseAbs().maxCoeff() < 1e-12);
  CHECK(baseline.predict(view(nothing))[0] == Approx(4 / 2.00001).epsilon(1e-12));
  CHECK(baseline.ridge() == 1e-5);
}

TEST_CASE("sums over parts of the trajectories add up to the fit of all", "[linear_baseline]") {
  const Eigen::MatrixXf one = Eigen::MatrixXf::Random(2, 5), two = Eigen::MatrixXf::Random(2, 9);
  const Eigen::VectorXd r1 = Eigen::VectorXd::LinSpaced(5, -1, 2), r2 = Eigen::VectorXd::LinSpaced(9, 4, 0);
  LinearBaseline whole, parts;
  whole.fit({view(one), view(two)}, {r1, r2});
  const auto a = LinearBaseline::sums({view(one)}, {r1}), b = LinearBaseline::sums({view(two)}, {r2});
  parts.solve({a.gram + b.gram, a.moment + b.moment}, 2);
  CHECK((whole.coefficients() - parts.coefficients()).cwiseAbs().maxCoeff() < 1e-9);
  CHECK(whole.coefficients().cwiseAbs().maxCoeff() > 0.1);
  CHECK_THROWS_WITH(parts.solve({NAN * a.gram, a.moment}, 7), contains("over 7 trajectories"));
}

TEST_CASE("coefficients solve the ridge regression on the named features, observations clipped to +-10",
          "[linear_baseline]") {
  Stream stream({.seed = 6});
  std::vector<Eigen::MatrixXf> data;
  std::vector<Eigen::VectorXd> returns;
  Observations observations;
  Eigen::Index rows = 0;
  for (const Eigen::Index length : {40, 7, 120}) {
    data.push_back(
        Eigen::MatrixXf::NullaryExpr(2, length, [&] { return static_cast<float>(8 * stream.normal()); }));
    returns.push_back(Eigen::VectorXd::NullaryExpr(length, [&] { return stream.normal(); }));
    rows += length;
  }
  for (const auto& x : data) observations.push_back(view(x));
  Eigen::MatrixXd features(rows, 8);
  Eigen::VectorXd targets(rows);
  Eigen::Index row = 0;
  bool clipped = false;
  for (size_t n = 0; n < data.size(); ++n) {
    for (Eigen::Index t = 0; t < data[n].cols(); ++t, ++row) {
      const auto clip = [&](float o) {
        clipped = clipped || std::abs(o) > 10;
        return std::min(10.0, std::max(-10.0, static_cast<double>(o)));
      };
      const double a = clip(data[n](0, t)), b = clip(data[n](1, t)), s = static_cast<double>(t) / 100;
      features.row(row) << a, b, a * a, b * b, s, s * s, s * s * s, 1;
      targets[row] = returns[n][t];
    }
  }
  REQUIRE(clipped);
  const Eigen::MatrixXd normal = features.transpose() * features + 1e-5 * Eigen::MatrixXd::Identity(8, 8);
  const Eigen::VectorXd expected = normal.fullPivLu().solve(features.transpose() * targets);

  LinearBaseline baseline;
  baseline.fit(observations, returns);
  CHECK((baseline.coefficients() - expected).cwiseAbs().maxCoeff() < 1e-9 * expected.cwiseAbs().maxCoeff());
  const Eigen::VectorXd predicted = baseline.predict(observations[1]);
  CHECK((predicted - features.middleRows(40, 7) * expected).cwiseAbs().maxCoeff() < 1e-9);
}

TEST_CASE("returns that are linear in the features are found", "[linear_baseline]") {
  const Eigen::MatrixXf x = Eigen::RowVectorXf::LinSpaced(50, -2, 2);
  Eigen::VectorXd returns(50);
  for (Eigen::Index t = 0; t < 50; ++t) {
    const double o = static_cast<double>(x(0, t));
    returns[t] = 3 - o + 0.5 * o * o;
  }
  LinearBaseline baseline;
  baseline.fit({view(x)}, {returns});
  CHECK((baseline.predict(view(x)) - returns).cwiseAbs().maxCoeff() < 1e-4);
}

TEST_CASE("features that cannot be told apart in double precision raise the ridge until they can",
          "[linear_baseline]") {
  // Ten constant observations: o, o^2 and 1 are multiples of each other. Over two million steps the rounding
  // of X'X exceeds 1e-5, so that X'X + 1e-5 I is not positive definite.
  const Eigen::MatrixXf x = Eigen::VectorXf::LinSpaced(10, 9.1f, 9.9f).replicate(1, 1000);
  const Observations observations(2000, view(x));
  const std::vector<Eigen::VectorXd> returns(2000, Eigen::VectorXd::Constant(1000, 2.0));
  LinearBaseline baseline;
  baseline.fit(observations, returns);
  CHECK(baseline.ridge() > 5e-5);
  CHECK(baseline.ridge() < 0.11);
  CHECK((baseline.predict(view(x)).array() - 2).abs().maxCoeff() < 1e-3);
}

TEST_CASE("a few steps with constant observations need no more than the first ridge", "[linear_baseline]") {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Constant(3, 100, 9.7f);
  LinearBaseline baseline;
  baseline.fit({view(x)}, {Eigen::VectorXd::Constant(100, 2.0)});
  CHECK(baseline.ridge() == 1e-5);
  CHECK((baseline.predict(view(x)).array() - 2).abs().maxCoeff() < 1e-3);
}

TEST_CASE("what has no finite solution is an error after five tries, and leaves no coefficients",
          "[linear_baseline]") {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(1, 3);
  LinearBaseline baseline;
  CHECK_THROWS_WITH(baseline.fit({view(x)}, {Eigen::VectorXd::Constant(3, 1e308)}),
                    contains("no finite solution with a ridge of 1e-05 to 0.1"));
  CHECK(baseline.coefficients().size() == 0);
  CHECK_THROWS_WITH(baseline.predict(view(x)), contains("fitted on 0 features"));
}

TEST_CASE("trajectories and returns that do not match are refused", "[linear_baseline]") {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(1, 3);
  LinearBaseline baseline;
  CHECK_THROWS_WITH(baseline.fit({}, {}), contains("0 trajectories"));
  CHECK_THROWS_WITH(baseline.fit({view(x)}, {Eigen::VectorXd::Ones(2)}), contains("3 steps and 2 returns"));
}

}  // namespace
}  // namespace innerloop
