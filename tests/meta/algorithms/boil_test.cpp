#include "meta/algorithms/boil.h"

#include "base/error.h"
#include "meta/gradient_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// f = a x, prediction w f: L_support = (w a)^2 / 2 at x = 1, y = 0; L_query = (w a - 1)^2 / 2.
class Product : public Task {
 public:
  int64_t size() const override { return 1; }
  Tensor loss(Part part, const Params& p, int64_t) const override {
    return ((p.at("a") * p.at("w")).view({1}) - (part == Part::kSupport ? 0 : 1)).square() / 2;
  }
};

MethodContext context(int64_t steps, bool first_order = false) {
  return {.inner = {.steps = steps, .step_size = 0.1, .first_order = first_order, .adapt = "body"},
          .initial =
              [](Stream&) {
                const Tensor one = torch::ones({1, 1}, torch::kFloat64);
                return Params({{"a", one}, {"w", 2 * one}});
              },
          .head = {"w"}};
}

Params gradient(bool first_order) {
  const auto method = boil().policy_method({}, context(1, first_order));
  Stream stream(StreamKey{});
  const Params meta = method->initial(stream);
  const Product task;
  const auto adaptation = method->inner().adapt(meta, task);
  CHECK(adaptation.adapted().at("a").item<double>() == Approx(0.6));
  CHECK(adaptation.adapted().at("w").item<double>() == 2);
  const auto at = method->objective().at(adaptation, task, {});
  CHECK(at.loss.item<double>() == Approx(0.02));
  return meta_gradient(at, adaptation);
}

}  // namespace

// a = 1, w = 2, alpha = .1: a' = a (1 - .1 w^2) = .6, r = w a' - 1 = .2;
// dL/da = r w (1 - .1 w^2) = .24, dL/dw = r (a' - .2 a w^2) = -.04 (first order .4 and .12).
TEST_CASE("boil: the body alone moves, and both parts have the gradients worked out by hand", "[meta]") {
  const Params exact = gradient(false);
  CHECK(exact.at("a").item<double>() == Approx(0.24));
  CHECK(exact.at("w").item<double>() == Approx(-0.04));
  const Params first = gradient(true);
  CHECK(first.at("a").item<double>() == Approx(0.4));
  CHECK(first.at("w").item<double>() == Approx(0.12));
}

TEST_CASE("boil: the row prescribes the body, and training without inner steps is refused", "[meta]") {
  CHECK(boil().prescribes == std::vector<std::pair<std::string, std::string>>{{"inner.adapt", "body"}});
  CHECK_THROWS_WITH(boil().policy_method({}, context(0)), contains("inner.steps: 0 found"));
}
