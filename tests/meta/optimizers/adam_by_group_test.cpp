#include "meta/optimizers/adam_by_group.h"

#include "base/error.h"
#include "meta/optimizers/registry.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

// A gradient given in advance, whatever is asked.
class Given : public MetaProblem {
 public:
  explicit Given(Params gradient) : gradient_(std::move(gradient)) {}
  Value value(const Params&) override { return {1, 0}; }
  Params gradient(const Params&) override { return gradient_; }

 private:
  Params gradient_;
};

Params numbers(double a, double b, double c) {
  return Params(
      {{"a/x", torch::full({1, 2}, a)}, {"b/x", torch::full({1, 2}, b)}, {"c", torch::full({1}, c)}});
}

}  // namespace

TEST_CASE("adam_by_group: a group without a gradient rests, and steps later as if nothing had been",
          "[meta]") {
  const MetaOptimizerConfig config{.name = "adam_by_group", .step_size = 0.1};
  Params meta = numbers(1, 1, 1);
  const auto optimizer = make_meta_optimizer(config, meta);
  const auto step = [&](const Params& gradient) {
    Given problem(gradient);
    optimizer->step(meta, problem, {});
  };
  step(numbers(3, 0, 0));
  CHECK(meta.at("a/x")[0][0].item<double>() == Approx(0.9).epsilon(1e-5));
  CHECK(meta.at("b/x")[0][0].item<double>() == 1);
  CHECK(meta.at("c")[0].item<double>() == 1);
  step(numbers(0, -2, 0));
  CHECK(meta.at("a/x")[0][0].item<double>() == Approx(0.9).epsilon(1e-5));  // its momentum does not move it
  CHECK(meta.at("b/x")[0][0].item<double>() == Approx(1.1).epsilon(1e-5));  // its first step, not its second

  // As one Adam that sees group b alone.
  Params alone({{"x", torch::full({1, 2}, 1.f)}});
  Adam adam(config, alone);
  for (const double g : {-2.0, 0.5}) {
    Given problem(Params({{"x", torch::full({1, 2}, g)}}));
    adam.step(alone, problem, {});
  }
  step(numbers(0, 0.5, 0));
  CHECK(meta.at("b/x").equal(alone.at("x")));
}

TEST_CASE("adam_by_group: a restored state goes on with the same bits", "[meta]") {
  const MetaOptimizerConfig config{.name = "adam_by_group", .step_size = 0.1};
  Params meta = numbers(1, 2, 3), other = meta;
  const auto one = make_meta_optimizer(config, meta), two = make_meta_optimizer(config, meta);
  const auto step = [](MetaOptimizer& optimizer, Params& at, const Params& gradient) {
    Given problem(gradient);
    optimizer.step(at, problem, {});
  };
  step(*one, meta, numbers(1, 0, 2));
  two->restore(one->state());
  other = meta;
  for (const auto& gradient : {numbers(0, 1, 1), numbers(1, 1, 0)}) {
    step(*one, meta, gradient);
    step(*two, other, gradient);
  }
  CHECK(identical(meta, other));
  Given damaged(numbers(1, std::numeric_limits<double>::quiet_NaN(), 1));
  CHECK_THROWS_AS(one->step(meta, damaged, {}), Error);
  CHECK(identical(meta, other));
}
