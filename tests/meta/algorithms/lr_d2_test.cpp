#include "meta/algorithms/lr_d2.h"

#include <cmath>

#include "meta/algorithms/r2d2.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor normal(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros(sizes, torch::kFloat64)}}), seed)[0];
}

Tensor column(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64).unsqueeze(1);
}

Episodes corners() {
  return plane_episodes(points({1, 0, 0, 1}), labels({0, 1}), points({1, 0}), labels({0}));
}

Episodes three_classes() {
  return plane_episodes(points({1, .2, .3, 1, .7, .4, .1, .6}), labels({0, 1, 2, 1}),
                        points({.8, .6, .4, .9, .5, .5}), labels({0, 1, 2}));
}

}  // namespace

TEST_CASE("lr_d2: one, two and three Newton steps have the weights of the oracle", "[meta]") {
  const Tensor x = with_ones(points({1, 0, 0, 1})), y = column({1, 0});
  const std::vector<double> expected{.4, .40105812, .40105814};
  for (int64_t k = 1; k <= 3; ++k) {
    const Tensor w = logistic_regression(x, y, 1, k);
    CHECK(torch::allclose(
        w, column({expected[static_cast<size_t>(k) - 1], -expected[static_cast<size_t>(k) - 1], 0}), 0,
        5e-9));
  }
}

// The minimum of sum_i log(1 + exp(-t_i w.x_i)) + lambda / 2 |w|^2: X'(y - mu) = lambda w.
TEST_CASE("lr_d2: many steps end where the penalised likelihood is stationary, few do not", "[meta]") {
  for (const auto& [samples, width] : {std::pair<int64_t, int64_t>{3, 6}, {9, 4}}) {
    const Tensor x = normal({2, samples, width}, 1);
    const Tensor y = normal({2, samples, 1}, 2).gt(0).to(torch::kFloat64);
    const auto slope = [&](int64_t iterations) {
      const Tensor w = logistic_regression(x, y, 0.3, iterations);
      return (x.transpose(1, 2).matmul(y - x.matmul(w).sigmoid()) - 0.3 * w).abs().max().item<double>();
    };
    CHECK(slope(12) < 1e-10);
    CHECK(slope(1) > 1e-3);
  }
}

TEST_CASE("lr_d2: sure samples in float32 leave everything finite", "[meta]") {
  const Tensor x = with_ones(points({60, 0, 0, 60})).to(torch::kFloat32);
  const Tensor w = logistic_regression(x, column({1, 0}).to(torch::kFloat32), 1e-6, 50);
  CHECK(torch::isfinite(w).all().item<bool>());
  CHECK(w[0].item<double>() > 0.1);
}

// One regression for class 0; after one step w = (.4, -.4, 0), so eta = .4 at the query (1, 0).
TEST_CASE("lr_d2: two classes are one regression with the binary cross-entropy", "[meta]") {
  const FeaturePlane plane(lr_d2(), {{"lambda", 1.0}, {"iterations", 1}});
  const auto found = plane.method->pass(plane.meta, plane.task(corners()), {}, true);
  CHECK(found.output[0][0][0].item<double>() == Approx(0.4));
  CHECK(found.output[0][0][1].item<double>() == 0);
  CHECK(found.loss.item<double>() == Approx(std::log1p(std::exp(-0.4))));
}

TEST_CASE("lr_d2: more classes are one regression each against the others", "[meta]") {
  const FeaturePlane plane(lr_d2(), {{"lambda", 0.5}, {"iterations", 3}});
  const Episodes e = three_classes();
  const Tensor found = plane.method->pass(plane.meta, plane.task(e), {}, true).output;
  for (int64_t label = 0; label < 3; ++label) {
    const Tensor y = e.support_y.eq(label).to(torch::kFloat64).unsqueeze(2);
    const Tensor w = logistic_regression(with_ones(e.support_x), y, 0.5, 3);
    CHECK(torch::allclose(found.select(2, label), with_ones(e.query_x).matmul(w).squeeze(2), 1e-10, 1e-12));
  }
}

TEST_CASE("lr_d2: the gradient through one and several steps equals finite differences", "[meta]") {
  const int64_t iterations = GENERATE(1, 4);
  const FeaturePlane plane(lr_d2(), {{"lambda", 0.5}, {"iterations", iterations}});
  const Episodes two =
      plane_episodes(points({1, .3, .2, 1}), labels({0, 1}), points({.8, .6, .4, .9}), labels({0, 1}));
  for (const auto& e : {two, three_classes()}) {
    const auto task = plane.task(e);
    const auto found = check_gradient(
        [&](const Params& p) { return plane.method->pass(p, task, {}, false).loss.sum().item<double>(); },
        [&](const Params& p) { return plane.method->pass(p, task, {}, false).gradient; }, plane.meta, 1e-5);
    INFO(found.text());
    CHECK(found.relative < 1e-6);
    CHECK(std::abs(found.difference) > 1e-6);
  }
}
