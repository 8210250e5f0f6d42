#include "meta/optimizers/lars.h"

#include <limits>

#include "base/error.h"
#include "meta/optimizers/registry.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// A gradient given in advance, whatever is asked.
class Fixed : public MetaProblem {
 public:
  explicit Fixed(Params gradient) : gradient_(std::move(gradient)) {}
  Value value(const Params&) override { return {1, 0}; }
  Params gradient(const Params&) override { return gradient_; }

 private:
  Params gradient_;
};

// A weight [1, 1, 2] and a bias [1, 2] of the same numbers.
Params both(double a, double b) {
  const Tensor x = torch::tensor({a, b}, torch::kFloat64);
  return Params({{"weight", x.view({1, 1, 2})}, {"bias", x.view({1, 2})}});
}

void step(MetaOptimizer& optimizer, Params& meta, const Params& gradient) {
  Fixed problem(gradient);
  optimizer.step(meta, problem, {});
}

const MetaOptimizerConfig kLars{
    .name = "lars", .step_size = 1, .momentum = 0.9, .weight_decay = 0.1, .trust = 0.1};

bool is(const Tensor& found, double a, double b) {
  return torch::allclose(found.flatten(), torch::tensor({a, b}, torch::kFloat64), 1e-7, 1e-9);
}

}  // namespace

TEST_CASE("lars: two steps are those worked out by hand", "[meta]") {
  // theta = (3, 4), g = (0, 2): r = .1 * 5 / (2 + .1 * 5) = .2, m = .2 (.3, 2.4)
  Params meta = both(3, 4);
  const auto lars = make_meta_optimizer(kLars, meta);
  step(*lars, meta, both(0, 2));
  CHECK(is(meta.at("weight"), 2.94, 3.52));
  CHECK(is(meta.at("bias"), 3, 2));  // excluded: theta - beta g
  step(*lars, meta, both(0, 2));
  CHECK(is(meta.at("weight"), 2.8311577, 2.6492619));

  auto all = kLars;
  all.exclude_vectors = false;
  meta = both(3, 4);
  const auto every = make_meta_optimizer(all, meta);
  step(*every, meta, both(0, 2));
  CHECK(is(meta.at("bias"), 2.94, 3.52));
}

TEST_CASE("lars: a step is as long whatever the scale of the gradient, and an entry of zeros moves",
          "[meta]") {
  auto config = kLars;
  config.weight_decay = 0;
  const auto moved = [&](const Params& from, const Params& gradient) {
    Params meta = from;
    step(*make_meta_optimizer(config, meta), meta, gradient);
    return (from.at("weight") - meta.at("weight")).norm().item<double>();
  };
  CHECK(moved(both(3, 4), both(0, 2)) == Approx(0.5));  // eta |theta|
  CHECK(moved(both(3, 4), both(0, 2000)) == Approx(0.5));
  CHECK(moved(both(0, 0), both(0, 2)) == Approx(2));  // r = 1
  CHECK(moved(both(3, 4), both(0, 0)) == 0);
}

TEST_CASE("lars: a restored state goes on with the same bits", "[meta]") {
  Params meta = both(3, 4);
  const auto one = make_meta_optimizer(kLars, meta), two = make_meta_optimizer(kLars, meta);
  step(*one, meta, both(0, 2));
  Params other = meta;
  two->restore(one->state());
  step(*one, meta, both(1, 1));
  step(*two, other, both(1, 1));
  CHECK(identical(meta, other));
  Params forgetful = both(2.94, 3.52);
  step(*make_meta_optimizer(kLars, forgetful), forgetful, both(1, 1));
  CHECK(!torch::allclose(forgetful.at("weight"), meta.at("weight")));

  CHECK_THROWS_WITH(two->restore(Params()), contains("unknown parameter 'lars.m.weight'"));
  CHECK_THROWS_WITH(
      two->restore(Params({{"lars.m.weight", torch::zeros({1, 3})}, {"lars.m.bias", torch::zeros({1, 2})}})),
      contains("'lars.m.weight' has shape [1, 3], expected [1, 1, 2]"));
  const Params before = meta;
  CHECK_THROWS_AS(step(*one, meta, both(std::numeric_limits<double>::quiet_NaN(), 1)), Error);
  CHECK(identical(meta, before));
}

TEST_CASE("lars: settings out of range are refused by name", "[meta]") {
  const auto make = [](auto change) {
    auto config = kLars;
    change(config);
    return make_meta_optimizer(config, both(1, 1));
  };
  CHECK_THROWS_WITH(make([](auto& c) { c.momentum = 1; }), contains("meta.momentum"));
  CHECK_THROWS_WITH(make([](auto& c) { c.weight_decay = -1; }), contains("meta.weight_decay"));
  CHECK_THROWS_WITH(make([](auto& c) { c.trust = 0; }), contains("meta.trust"));
}
