#include "meta/algorithms/maml.h"

#include "base/error.h"
#include "tests/meta/algorithms/recorded_bandit.h"
#include "tests/meta/algorithms/scalar_task.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

ScalarOutcome outcome(const Algorithm& algorithm, const Texts& own, bool first_order) {
  const auto method =
      scalar_method(algorithm, own, {.steps = 1, .step_size = 0.1, .first_order = first_order});
  return adapt_scalar(*method, 3);
}

}  // namespace

// theta = 3, phi = 3 - 0.1 * 2 (3 - 1) = 2.6, d phi / d theta = 0.8, L_query = phi^2 / 2.
TEST_CASE("maml: the loss before adaptation joins the meta-objective by its weight, worked out by hand",
          "[meta]") {
  CHECK(outcome(maml(), {}, false).loss == Approx(3.38));
  CHECK(outcome(maml(), {}, false).gradient == Approx(2.08));
  const Texts half{{"initial_weight", "0.5"}};
  CHECK(outcome(maml(), half, false).loss == Approx(3.38 + 0.5 * 4.5));
  CHECK(outcome(maml(), half, false).gradient == Approx(2.6 * 0.8 + 0.5 * 3));
  CHECK(outcome(fomaml(), half, true).loss == Approx(3.38 + 0.5 * 4.5));
  CHECK(outcome(fomaml(), half, true).gradient == Approx(2.6 + 0.5 * 3));
}

TEST_CASE("maml: with a weight on the loss before adaptation the meta-gradient equals finite differences",
          "[meta]") {
  const int64_t steps = GENERATE(1, 2);
  const auto make = [&](const std::string& weight) {
    auto s = std::make_unique<RecordedBandit>(maml(), Texts{{"initial_weight", weight}}, 0.2,
                                              InnerLoopConfig{.steps = steps, .step_size = 0.5});
    for (int64_t k = 0; k < steps; ++k) {
      s->record(pulls({1, 0, 1}, {0.4, -0.3, 1.2}));
      s->advance();
    }
    s->record(pulls({1, 1, 0}, {0.8, 0.1, -0.7}));
    return s;
  };
  const auto weighted = make("0.7"), plain = make("0");
  constexpr double h = 1e-5, x = 0.35;
  const double numeric = (weighted->loss(x + h) - weighted->loss(x - h)) / (2 * h);
  const auto slope = [&](const RecordedBandit& s) {
    return s.gradient(x).at("layer0.bias")[0][1].item<double>();
  };
  CHECK(slope(*weighted) == Approx(numeric).epsilon(1e-7));
  // What is added is the surrogate of the pulls that the initial policy made: ratios to sigma(0.2).
  const double up = sigma(x) / sigma(0.2), down = (1 - sigma(x)) / (1 - sigma(0.2));
  CHECK(weighted->loss(x) - plain->loss(x) == Approx(-0.7 * (1.6 * up - 0.3 * down) / 3));
  CHECK(std::abs(slope(*weighted) - slope(*plain)) > 1e-2);
}

TEST_CASE("maml refuses a weight that makes no sense", "[meta]") {
  for (const auto* value : {"-1", "nan", "much"}) {
    CHECK_THROWS_AS(outcome(maml(), {{"initial_weight", value}}, false), UsageError);
    CHECK_THROWS_AS(outcome(fomaml(), {{"initial_weight", value}}, true), UsageError);
  }
}
