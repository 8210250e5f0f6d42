#include "networks/tensors/gradient_check.h"

#include <cmath>

#include "base/error.h"
#include "tests/torch_catch.h"

namespace innerloop {
namespace {

// f = sum a^3 + a_0 b_1
Params point() {
  return Params({{"a", torch::tensor({{0.5, -1.0}}, torch::kFloat64)},
                 {"b", torch::tensor({{2.0, 3.0, 4.0}}, torch::kFloat64)}});
}

double value(const Params& p) {
  return (p.at("a").pow(3).sum() + p.at("a")[0][0] * p.at("b")[0][1]).item<double>();
}

Params gradient(const Params& p) {
  auto a = 3 * p.at("a").square(), b = torch::zeros_like(p.at("b"));
  a[0][0] += p.at("b")[0][1];
  b[0][1] = p.at("a")[0][0];
  return p.with({a, b});
}

TEST_CASE("a right gradient passes the check and a wrong number is found where it is", "[tensors]") {
  const auto right = check_gradient(value, gradient, point());
  CHECK(right.absolute < 1e-9);
  CHECK(right.relative < 1e-9);

  const auto wrong = check_gradient(
      value,
      [](const Params& p) {
        auto g = gradient(p);
        g.at("b")[0][2] += 0.75;
        return g;
      },
      point());
  CHECK(wrong.entry == "b");
  CHECK(wrong.index == 2);
  CHECK(wrong.absolute == Approx(0.75));
  CHECK(wrong.relative == Approx(0.75 / 3.75));  // the largest is df/da_0 = 3 / 4 + 3
  CHECK(wrong.gradient == Approx(0.75));
  CHECK(wrong.difference == Approx(0).margin(1e-9));
  CHECK_THAT(wrong.text(), contains("b[2]: gradient 0.75, by differences"));
}

TEST_CASE("a gradient that is not finite, not there or of float32 does not pass", "[tensors]") {
  const auto nan = check_gradient(
      value,
      [](const Params& p) {
        auto g = gradient(p);
        g.at("a")[0][1] = std::nan("");
        return g;
      },
      point());
  CHECK(std::isinf(nan.absolute));
  CHECK(nan.entry == "a");
  CHECK(nan.index == 1);
  const auto short_of_b = [](const Params& p) { return gradient(p).select({"a"}); };
  CHECK_THROWS_WITH(check_gradient(value, short_of_b, point()), contains("entries a found, expected a, b"));
  CHECK_THROWS_WITH(check_gradient(value, gradient, point().to(torch::kFloat32)),
                    contains("expected Double"));
}

TEST_CASE("distances between parameters take the largest number, and NaN is the largest", "[tensors]") {
  const auto p = point();
  CHECK(largest(p) == 4);
  CHECK(distance(p, 2.0 * p) == 4);
  CHECK(inner_product(p, p) == Approx(0.25 + 1 + 4 + 9 + 16));
  auto q = p.cloned();
  q[0][0][0] = std::nan("");
  CHECK(std::isnan(largest(q)));
  CHECK(identical(normal_like(p, 3), normal_like(p, 3)));
  CHECK(!identical(normal_like(p, 3), normal_like(p, 4)));
}

}  // namespace
}  // namespace innerloop
