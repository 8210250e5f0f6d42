#include "networks/tensors/elementwise.h"

#include <limits>

#include "base/error.h"
#include "tests/torch_catch.h"

namespace innerloop {
namespace {

using torch::Tensor;

// The layouts a Params meets: contiguous, one slice for all tasks, a slice, columns first, a graph's leaf.
std::vector<Tensor> layouts(torch::ScalarType dtype) {
  torch::manual_seed(3);
  const auto whole = torch::randn({3, 5, 37}, dtype);
  return {whole, whole.narrow(0, 1, 1).expand({3, 5, 37}), torch::randn({6, 5, 37}, dtype).narrow(0, 2, 3),
          torch::randn({3, 37, 5}, dtype).transpose(1, 2), torch::randn({3, 5, 37}, dtype).requires_grad_()};
}

TEST_CASE("plain loops and LibTorch agree on every layout", "[elementwise]") {
  for (const auto dtype : {torch::kFloat32, torch::kFloat64}) {
    const double exact = dtype == torch::kFloat32 ? 1e-6 : 1e-15;
    for (const auto& x : layouts(dtype)) {
      for (const auto& y : layouts(dtype)) {
        CHECK(combination(1, x, 1, y).equal(x + y));
        CHECK(combination(1, x, -1, y).equal(x - y));
        CHECK(torch::allclose(combination(0.3, x, -1.7, y), 0.3 * x - 1.7 * y, exact, exact));
        CHECK(torch::allclose(combination(1, x, -0.01, y), x - 0.01 * y, exact, exact));
      }
      for (const auto& v : layouts(dtype)) {
        const auto step = rms_step(x, x * 0.3, v.abs(), 0.9, 0.1, 1e-36, 1e-8);
        const auto next = 0.9 * v.abs() + 0.1 * (x * 0.3).square();
        CHECK(torch::allclose(step.v, next, exact, exact));
        CHECK(torch::allclose(step.x, x - 0.1 * (x * 0.3 / (next.sqrt() + 1e-8)), exact, exact));
      }
      CHECK(scaled(-0.3, x).equal(x * -0.3));
      CHECK(copied(x).equal(x));
      CHECK(copied(x).is_contiguous());
      CHECK(copied(x).data_ptr() != x.data_ptr());
      CHECK(zeros_as(x).equal(torch::zeros({3, 5, 37}, dtype)));
      CHECK(torch::allclose(sum_tasks(x), x.sum(0, true), exact, exact));
      CHECK(sum_in_double(x) == Approx(x.sum(torch::kFloat64).item<double>()).margin(1e-12));
      CHECK(finite(x));
      CHECK(combination(1, x, 1, x).scalar_type() == dtype);
    }
  }
}

TEST_CASE("what belongs to a graph stays in it", "[elementwise]") {
  const auto x = torch::randn({2, 3}).requires_grad_(), y = torch::randn({2, 3});
  CHECK(combination(1, x, 2, y).requires_grad());
  CHECK(combination(1, y, 2, x).requires_grad());
  CHECK(scaled(2, x).requires_grad());
  CHECK(sum_tasks(x).requires_grad());
  CHECK(repeated(torch::randn({1, 3}).requires_grad_(), 4).requires_grad());
  const torch::NoGradGuard no_graph;
  CHECK(!combination(1, x, 2, y).requires_grad());
  CHECK(!scaled(2, x).requires_grad());
}

TEST_CASE("one infinity or NaN anywhere is not finite", "[elementwise]") {
  for (const auto dtype : {torch::kFloat32, torch::kFloat64}) {
    for (const double bad :
         {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
          std::numeric_limits<double>::quiet_NaN()}) {
      for (const int64_t task : {0, 2}) {
        auto x = torch::full({3, 41}, 1e30, dtype);
        CHECK(finite(x));
        x[task][40] = bad;
        CHECK(!finite(x));
        CHECK(!finite(x.narrow(0, task, 1).expand({2, 41})));
        CHECK(!finite(x.t()));
      }
    }
  }
}

TEST_CASE("a repeated tensor shares storage and sees what is written to it", "[elementwise]") {
  const auto x = torch::randn({1, 4, 2});
  const auto many = repeated(x, 3);
  CHECK(many.equal(x.expand({3, 4, 2})));
  CHECK(many.data_ptr() == x.data_ptr());
  const auto version = many._version();
  x.mul_(2);
  CHECK(many.equal(x.expand({3, 4, 2})));
  CHECK(many._version() == version + 1);
  CHECK(repeated(x, 1).is_same(x));
  CHECK_THROWS(repeated(torch::randn({2, 4}), 3));
}

}  // namespace
}  // namespace innerloop
