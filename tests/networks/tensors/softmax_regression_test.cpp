#include "networks/tensors/softmax_regression.h"

#include <cmath>

#include "base/error.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor normal(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros(sizes, torch::kFloat64)}}), seed)[0];
}

}  // namespace

// Of the points -1 and 1 of two classes W = (-d, d) / 2 with d (1 + e^d) = 2 / l2.
TEST_CASE("softmax regression: two points have the weights of the equation", "[networks]") {
  const Tensor x = torch::tensor({-1.0, 1.0}, torch::kFloat64).view({2, 1});
  const Tensor y = torch::tensor({0, 1}, torch::kInt64);
  for (const double l2 : {0.01, 0.1, 1.0}) {
    const auto found = softmax_regression(x, y, 2, l2);
    const double d = (found.weight[1] - found.weight[0]).item<double>();
    CHECK(d * (1 + std::exp(d)) == Approx(2 / l2).epsilon(1e-3));
    CHECK((found.weight[1] + found.weight[0]).item<double>() == Approx(0).margin(1e-4));
    CHECK(found.bias.abs().max().item<double>() == Approx(0).margin(1e-4));
    CHECK(found.scores(x).argmax(1).equal(y));
  }
}

TEST_CASE("softmax regression: it ends where the objective is flat, and nowhere near is lower",
          "[networks]") {
  const Tensor x = normal({60, 5}, 1), y = torch::arange(60, torch::kInt64).remainder(4);
  const auto found = softmax_regression(x, y, 4, 1e-3);
  CHECK(found.slope <= 1e-6);
  const auto objective = [&](const Tensor& w, const Tensor& b) {
    const Tensor log_p = torch::log_softmax(x.matmul(w.t()) + b, 1);
    return (-log_p.gather(1, y.unsqueeze(1)).mean() + 1e-3 / 2 * w.square().sum()).item<double>();
  };
  const double least = objective(found.weight, found.bias);
  CHECK(least < std::log(4) - 0.01);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    CHECK(objective(found.weight + 0.01 * normal({4, 5}, seed), found.bias + 0.01 * normal({4}, seed + 99)) >
          least);
  }
  CHECK(softmax_regression(x, y, 4, 1e-3).weight.equal(found.weight));
}

TEST_CASE("softmax regression: what does not fit is refused", "[networks]") {
  const Tensor y = torch::zeros({3}, torch::kInt64);
  CHECK_THROWS_WITH(softmax_regression(normal({4, 2}, 1), y, 2, 1), contains("[4, 2] and labels of [3]"));
  CHECK_THROWS_WITH(softmax_regression(normal({3, 2}, 1), y, 2, 0), contains("l2 is 0"));
}
