#include "meta/algorithms/r2d2.h"

#include <cmath>

#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor normal(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros(sizes, torch::kFloat64)}}), seed)[0];
}

Tensor number(double value) { return torch::full({1, 1}, value, torch::kFloat64); }

Episodes corners() {
  return plane_episodes(points({1, 0, 0, 1}), labels({0, 1}), points({1, 0}), labels({0}));
}

// More samples than features and the bias: the primal system.
Episodes many() {
  return plane_episodes(points({1, .2, .3, 1, .7, .4, .1, .6, 1.2, .5}), labels({0, 1, 0, 1, 0}),
                        points({.8, .6, .4, .9}), labels({0, 1}));
}

}  // namespace

TEST_CASE("r2d2: two supports in the corners have the weights and scores of the oracle", "[meta]") {
  const double root = std::sqrt(2.0);
  const Tensor z = with_ones(points({1, 0, 0, 1})) / root;
  const Tensor y = torch::tensor({1.0, 0.0, 0.0, 1.0}, torch::kFloat64).view({2, 2}) / root;
  const Tensor at_50 = ridge_regression(z, y, number(50));
  const std::vector<double> expected{.00980486, -.00009613, -.00009613, .00980486, .00970874, .00970874};
  CHECK(torch::allclose(at_50.reshape({6}), torch::tensor(expected, torch::kFloat64), 0, 5e-9));

  for (const auto& [lambda, own, other] :
       {std::tuple{50.0, .0195136, .00961261}, std::tuple{1.0, .46666667, .13333333}}) {
    const FeaturePlane plane(r2d2(), {{"lambda", lambda}, {"scale", 1.0}});
    const auto found = plane.method->pass(plane.meta, plane.task(corners()), {}, true);
    CHECK(found.output[0][0][0].item<double>() == Approx(own).epsilon(1e-6));
    CHECK(found.output[0][0][1].item<double>() == Approx(other).epsilon(1e-6));
    CHECK(found.loss.item<double>() == Approx(std::log1p(std::exp(other - own))));
  }
}

TEST_CASE("r2d2: the primal and the dual system have one solution, and the smaller is taken", "[meta]") {
  for (const auto& [samples, width] : {std::pair<int64_t, int64_t>{3, 6}, {4, 4}, {9, 4}}) {
    const Tensor z = normal({2, samples, width}, 1), y = normal({2, samples, 3}, 2);
    const Tensor lambda = torch::full({1, 1, 1}, 0.3, torch::kFloat64);
    const Tensor primal = ridge_regression(z, y, lambda, false), dual = ridge_regression(z, y, lambda, true);
    CHECK(torch::allclose(primal, dual, 1e-11, 1e-12));
    CHECK(torch::equal(ridge_regression(z, y, lambda), samples <= width ? dual : primal));
    // The normal equations: Z'(Y - Z W) = lambda W.
    CHECK(torch::allclose(z.transpose(1, 2).matmul(y - z.matmul(primal)), lambda * primal, 1e-11, 1e-12));
  }
}

TEST_CASE("r2d2: with more supports than features the scores are those of the other system", "[meta]") {
  const FeaturePlane plane(r2d2(), {{"lambda", 0.5}, {"scale", 2.0}});
  const Episodes e = many();
  const Tensor found = plane.method->pass(plane.meta, plane.task(e), {}, true).output;
  const double root = std::sqrt(5.0);
  const Tensor y = torch::one_hot(e.support_y, 2).to(torch::kFloat64);
  const Tensor w = ridge_regression(with_ones(e.support_x) / root, y / root, number(0.5).unsqueeze(0), true);
  CHECK(torch::allclose(found, 2 * with_ones(e.query_x).matmul(w), 1e-10, 1e-12));
}

TEST_CASE("r2d2: scale, shift and a learned lambda are meta-parameters with exact gradients", "[meta]") {
  const FeaturePlane fixed(r2d2());
  CHECK(fixed.meta.names() ==
        std::vector<std::string>{"layer0.weight", "layer0.bias", "r2d2.scale", "r2d2.shift"});
  CHECK(fixed.meta.at("r2d2.scale").item<double>() == 10);
  const FeaturePlane plane(r2d2(), {{"learn_lambda", true}, {"lambda", 0.7}});
  CHECK(plane.meta.at("r2d2.lambda").item<double>() == Approx(0.7));
  const Episodes few =
      plane_episodes(points({1, .3, .2, 1}), labels({0, 1}), points({.8, .6, .4, .9}), labels({0, 1}));
  for (const auto& e : {few, many()}) {
    const auto task = plane.task(e);
    const auto gradient = [&](const Params& p) { return plane.method->pass(p, task, {}, false).gradient; };
    const auto found = check_gradient(
        [&](const Params& p) { return plane.method->pass(p, task, {}, false).loss.sum().item<double>(); },
        gradient, plane.meta, 1e-5);
    INFO(found.text());
    CHECK(found.relative < 1e-6);
    const Params at = gradient(plane.meta);
    CHECK(std::abs(at.at("r2d2.lambda").item<double>()) > 1e-3);
    CHECK(std::abs(at.at("r2d2.scale").item<double>()) > 1e-3);
    CHECK(std::abs(at.at("r2d2.shift").item<double>()) < 1e-12);  // common to all logits
  }
}
