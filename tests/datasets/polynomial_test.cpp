#include "datasets/polynomial.h"

#include "base/error.h"
#include "tests/datasets/draw.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

TEST_CASE("targets of a polynomial task are the polynomial of the coefficients its stream names",
          "[datasets][polynomial]") {
  const auto dtype = GENERATE(torch::kFloat32, torch::kFloat64);
  const int64_t order = GENERATE(0, 1, 2, 5);
  const EpisodeShape shape{.ways = 1, .shots = 5, .queries = 9};
  const auto polynomials = make_dataset({.name = "polynomial", .own = {{"order", std::to_string(order)}}});
  const auto episodes = draw_tasks(*polynomials, Split::kTrain, shape, 20, 0, dtype);
  const double tolerance = dtype == torch::kFloat32 ? 2e-6 : 1e-12;
  for (int64_t t = 0; t < 20; ++t) {
    Stream stream = task_stream(static_cast<uint64_t>(t));
    std::vector<double> expected;
    for (int64_t i = 0; i <= order; ++i) {
      expected.push_back((2 * stream.uniform() - 1) / static_cast<double>(int64_t{1} << i));
    }
    Stream again = task_stream(static_cast<uint64_t>(t));
    const auto coefficients = sample_polynomial(order, again);
    REQUIRE(coefficients.size() == expected.size());
    for (size_t i = 0; i < expected.size(); ++i) CHECK(coefficients[i] == Approx(expected[i]).margin(1e-15));
    const auto expect = [&](const torch::Tensor& x, const torch::Tensor& y) {
      const auto at = x[t].to(torch::kFloat64);
      auto value = torch::zeros_like(at);
      for (int64_t i = 0; i <= order; ++i) value = value + expected[static_cast<size_t>(i)] * at.pow(i);
      // A rounded x is another place on a steep curve.
      CHECK((y[t].to(torch::kFloat64) - value).abs().max().item<double>() < 4 * tolerance);
    };
    expect(episodes.support_x, episodes.support_y);
    expect(episodes.query_x, episodes.query_y);
  }
}

TEST_CASE("inputs of polynomials are uniform from -2 to 2, coefficients over their ranges",
          "[datasets][polynomial]") {
  const auto polynomials = make_dataset({.name = "polynomial"});
  const auto episodes = draw_tasks(*polynomials, Split::kTest, {.ways = 1, .shots = 10, .queries = 10}, 2000,
                                   0, torch::kFloat64);
  const auto x = torch::cat({episodes.support_x, episodes.query_x}, 1);
  CHECK(x.min().item<double>() >= -2);
  CHECK(x.max().item<double>() < 2);
  CHECK(x.mean().item<double>() == Approx(0).margin(4 * 4 / std::sqrt(12 * 40000.0)));
  CHECK(x.var().item<double>() == Approx(16.0 / 12).epsilon(0.02));
  // Order 2 by default: variances 1/3, 1/12 and 1/48 of the coefficients, moments 1, 4/3 and 16/5 of x.
  const auto y = torch::cat({episodes.support_y, episodes.query_y}, 1);
  CHECK(y.pow(2).mean().item<double>() ==
        Approx(1.0 / 3 + 1.0 / 12 * 4 / 3 + 1.0 / 48 * 16 / 5).epsilon(0.05));
}

TEST_CASE("an order that no polynomial has is refused", "[datasets][polynomial][errors]") {
  CHECK_THROWS_AS(make_dataset({.name = "polynomial", .own = {{"order", "-1"}}}), UsageError);
  CHECK_THROWS_AS(make_dataset({.name = "polynomial", .own = {{"order", "21"}}}), UsageError);
}
