#include "meta/algorithms/alfa.h"

#include <cmath>

#include "base/error.h"
#include "networks/mlp.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/scalar_task.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// L_support = (p - 1)^2 at p = 3: g = 4, tau = (3, 4). With V1 = I, v1 = (0, -10), V2 = [[.1, 0], [.2, 1]],
// v2 = (.2, 0): hidden (3, 0), a = .5, b = .6; A = 1 and B = .5 give phi = (1 - .3) 3 - .5 4 = .1.
Params by_hand(const GradientMethod& method) {
  Stream stream(StreamKey{});
  const Params meta = method.initial(stream).cloned();
  const auto set = [&](const char* name, const std::vector<double>& values) {
    meta.at(name).copy_(torch::tensor(values, torch::kFloat64).view(meta.at(name).sizes()));
  };
  meta[0].fill_(3);
  set("inner.hidden.weight", {1, 0, 0, 1});
  set("inner.hidden.bias", {0, -10});
  set("inner.output.weight", {.1, 0, .2, 1});
  set("inner.output.bias", {.2, 0});
  meta.at("inner.rate.p").fill_(1);
  meta.at("inner.decay.p").fill_(.5);
  return meta;
}

struct Found {
  double phi, theta, rate, decay;
};

Found outcome(const Texts& own) {
  const auto method = scalar_method(alfa(), own, {.steps = 1, .step_size = 0.1});
  const ScalarTask task;
  const auto adaptation = method->inner().adapt(by_hand(*method), task);
  const Params g = meta_gradient(method->objective().at(adaptation, task, {}), adaptation);
  return {adaptation.adapted()[0].item<double>(), g.at("p").item<double>(),
          g.at("inner.rate.p").item<double>(), g.at("inner.decay.p").item<double>()};
}

class Line : public Task {
 public:
  int64_t size() const override { return 2; }
  Tensor loss(Part part, const Params& p, int64_t) const override {
    const Tensor x = torch::tensor({.3, -1., 2., 1., .5, -.2}, torch::kFloat64).view({2, 3, 1});
    return (network_.forward(p, x) - (part == Part::kSupport ? x : x.square())).square().mean({1, 2});
  }
  Mlp network_{{1, {3}, 1, Activation::kTanh}};
};

GradientCheck line_check(const Texts& own) {
  const auto method = alfa().policy_method(
      own, {.inner = {.steps = 2, .step_size = 0.1}, .initial = [](Stream& stream) {
              return Mlp({1, {3}, 1, Activation::kTanh}).initial(stream).to(torch::kFloat64);
            }});
  Stream stream(StreamKey{3, Purpose::kTest});
  Params meta = method->initial(stream);
  meta = meta + 0.05 * normal_like(meta, 4);
  const Line task;
  const auto loss = [&](const Params& p) {
    return method->objective().value(method->inner().adapt(p, task), task, {}).sum().item<double>();
  };
  const auto gradient = [&](const Params& p) {
    const auto adaptation = method->inner().adapt(p, task);
    return meta_gradient(method->objective().at(adaptation, task, {}), adaptation);
  };
  return check_gradient(loss, gradient, meta, 1e-4);
}

}  // namespace

// dL/dphi = .1. dphi/dA = -a g = -2, dphi/dB = -b phi_0 = -1.8. dphi/dtheta: 1 - .3 - 3 .5 db - .5 2 - 4 da
// with da = .1, db = .2 (the hidden unit of the gradient is off): .7 - .3 - 1 - .4 = -1.
TEST_CASE("alfa: a step that its network chooses has the gradients worked out by hand", "[meta]") {
  const Found found = outcome({});
  CHECK(found.phi == Approx(0.1));
  CHECK(found.rate == Approx(-0.2));
  CHECK(found.decay == Approx(-0.18));
  CHECK(found.theta == Approx(-0.1));
}

TEST_CASE("alfa: the network starts as a fresh linear layer, the factors at alpha and its decay", "[meta]") {
  const auto method = scalar_method(alfa(), {{"decay", 0.01}}, {.steps = 3, .step_size = 0.1});
  Stream one(StreamKey{1}), other(StreamKey{2});
  const Params meta = method->initial(one);
  CHECK(meta.at("inner.rate.p").sizes() == std::vector<int64_t>{1, 3});
  CHECK(meta.at("inner.rate.p")[0][2].item<double>() == Approx(0.1));
  CHECK(meta.at("inner.decay.p")[0][0].item<double>() == Approx(0.001));
  CHECK(meta.at("inner.hidden.weight").sizes() == std::vector<int64_t>{1, 2, 2});
  CHECK(largest(meta.part("inner.hidden.")) < 1 / std::sqrt(2.0));
  CHECK(largest(meta.part("inner.hidden.")) > 0);
  CHECK_FALSE(identical(meta, method->initial(other)));
}

TEST_CASE("alfa: its meta-gradient is exact where the gradients it sees are differentiated", "[meta]") {
  const auto exact = line_check({});
  INFO(exact.text());
  CHECK(exact.relative < 1e-7);
  CHECK(line_check({{"constant_gradients", true}}).relative > 1e-4);
}

TEST_CASE("alfa: with random initial weights the outer loop learns the steps alone", "[meta]") {
  const Texts own{{"random_init", true}};
  const auto method = scalar_method(alfa(), own, {.steps = 1, .step_size = 0.1});
  Stream stream(StreamKey{});
  const Params meta = method->initial(stream);
  CHECK(meta.at("inner.decay.p").item<double>() == 1);
  CHECK(meta.at("inner.weight_decay.p").item<double>() == Approx(5e-5));
  const Found found = outcome(own);
  CHECK(found.theta == 0);
  // (1 - .6 .5 5e-5) 3 - 2
  CHECK(found.phi == Approx(3 * (1 - 1.5e-5) - 2));
  CHECK(found.rate == Approx(found.phi * -2));
}

TEST_CASE("alfa: steps beyond those of training take the last factors", "[meta]") {
  const auto rule = adaptive_step(0.1, 2, {});
  const Params p({{"p", torch::full({1, 1}, 3.0, torch::kFloat64)}});
  Stream stream(StreamKey{});
  const Params own = rule->meta_parameters(p, 2, stream).cloned();
  own.at("inner.rate.p")[0][1] = 0.7;
  const Tensor loss = torch::zeros({1}, torch::kFloat64);
  const auto at = [&](int64_t step) {
    return rule->update({own, p, p, {}, loss, step, 1}).phi[0].item<double>();
  };
  CHECK(at(1) == at(9));
  CHECK(at(0) != at(1));
  CHECK_THROWS_WITH(scalar_method(alfa(), {}, {.steps = 0}), contains("inner.steps: 0 found"));
}
