#include <thread>

#include "base/error.h"
#include "tests/networks/mlp_cases.h"

namespace innerloop {
namespace {

std::vector<MlpCase> cases() {
  std::vector<MlpCase> out;
  for (const auto activation : {Activation::kTanh, Activation::kRelu}) {
    // No hidden layer, one unit, sizes that leave every remainder of a register tile, and the sizes of the
    // papers.
    for (const auto& hidden : std::vector<std::vector<int64_t>>{
             {}, {1}, {5}, {7, 3}, {13, 10, 9}, {8, 11, 2, 6}, {64, 64}, {100, 100}}) {
      const bool big = !hidden.empty() && hidden[0] >= 64;
      out.push_back({{3, hidden, 2, activation}, 1, big ? 130 : 17});
      out.push_back({{1, hidden, 5, activation}, big ? 1 : 3, 1});
    }
    for (const int64_t samples :
         {1, 15, 16, 17, 63, 64, 65, 300, 512, 513, 2000}) {  // edges of panels and blocks
      out.push_back({{2, {6, 5}, 2, activation}, 1, samples});
    }
    out.push_back({{20, {100, 100}, 6, activation}, 2, 40});
    // Few samples: one register or two in float32 and float64, and one sample more.
    for (const int64_t samples : {1, 5, 8, 9, 10, 16, 17, 31, 32, 33}) {
      for (const int64_t tasks : {1, 3}) {
        out.push_back({{1, {40, 40}, 1, activation}, tasks, samples});
        out.push_back({{3, {7, 5}, 2, activation}, tasks, samples});
        out.push_back({{17, {}, 15, activation}, tasks, samples});
      }
      out.push_back({{2, {64, 64}, 6, activation}, 1, samples});
      out.push_back({{81, {16, 15, 79, 80}, 2, activation}, 2, samples});
    }
  }
  return out;
}

Params autograd_pullback(const MlpPoint& at, const Params& params, const torch::Tensor& c) {
  const auto leaves = params.as_leaves();
  return autograd_gradient((at.mlp.forward(leaves, at.x) * c).sum(), leaves);
}

TEST_CASE("an MLP's output is Mlp::forward's, kept or not", "[mlp]") {
  for (const auto& one : cases()) {
    const MlpPoint at(one);
    const auto expected = at.mlp.forward(at.params, at.x);
    CHECK(error(MlpLinearization(at.mlp, at.params, at.x).output(), expected) < 1e-13);
    CHECK(mlp_output(at.mlp, at.params, at.x).equal(MlpLinearization(at.mlp, at.params, at.x).output()));
  }
}

TEST_CASE("pullback is autograd's gradient", "[mlp]") {
  for (const auto& one : cases()) {
    const MlpPoint at(one);
    const auto gradient = MlpLinearization(at.mlp, at.params, at.x).pullback(at.c);
    CHECK(error(gradient, autograd_pullback(at, at.params, at.c)) < 1e-12);
  }
}

TEST_CASE("pushforward is autograd's directional derivative", "[mlp]") {
  for (const auto& one : cases()) {
    const MlpPoint at(one);
    // J v as the derivative of J^T c in c, along v.
    const auto leaves = at.params.as_leaves();
    const auto c = torch::zeros_like(at.c).requires_grad_();
    const auto pulled =
        autograd_gradient((at.mlp.forward(leaves, at.x) * c).sum(), leaves, /*create_graph=*/true);
    const auto expected = torch::autograd::grad({dot(pulled, at.direction)}, {c})[0];
    CHECK(error(MlpLinearization(at.mlp, at.params, at.x).pushforward(at.direction), expected) < 1e-12);
  }
}

TEST_CASE("pullback_tangent is autograd's second derivative", "[mlp]") {
  for (const auto& one : cases()) {
    const MlpPoint at(one);
    const auto leaves = at.params.as_leaves();
    const auto y = at.mlp.forward(leaves, at.x);
    const auto pulled = autograd_gradient((y * at.c).sum(), leaves, /*create_graph=*/true);
    auto expected = autograd_gradient((y * at.ct).sum(), leaves);
    const auto along = dot(pulled, at.direction);
    if (along.requires_grad()) expected = expected + autograd_gradient(along, leaves);
    const auto product =
        MlpLinearization(at.mlp, at.params, at.x).pullback_tangent(at.direction, at.c, at.ct);
    CHECK(error(product, expected) < 1e-12);
  }
}

TEST_CASE("every derivative is the limit of differences", "[mlp]") {
  // tanh alone: a ReLU's differences straddle kinks.
  for (const auto& hidden : std::vector<std::vector<int64_t>>{{}, {5}, {7, 3}, {9, 8, 4}}) {
    const MlpPoint at(MlpCase{{3, hidden, 2, Activation::kTanh}, 2, 19});
    MlpLinearization here(at.mlp, at.params, at.x);
    const auto output = [&](const Params& p) { return mlp_output(at.mlp, p, at.x); };
    CHECK(error(here.pushforward(at.direction), difference(output, at.params, at.direction)) < 1e-7);
    const auto loss = [&](const Params& p) { return (mlp_output(at.mlp, p, at.x) * at.c).sum(); };
    const auto slope = dot(here.pullback(at.c), at.direction);
    CHECK(error(slope, difference(loss, at.params, at.direction)) < 1e-7);
    const double step = 1e-5;
    const auto pulled = [&](double e) {
      return MlpLinearization(at.mlp, at.params + e * at.direction, at.x).pullback(at.c + e * at.ct);
    };
    const auto numeric = (1 / (2 * step)) * (pulled(step) - pulled(-step));
    CHECK(error(here.pullback_tangent(at.direction, at.c, at.ct), numeric) < 1e-7);
  }
}

TEST_CASE("one tanh unit has the derivatives worked out by hand", "[mlp]") {
  // y = u tanh(w x), no biases: dy/dw = u x s, dy/du = h; d2y/dw2 = -2 u x^2 h s, d2y/dwdu = x s; s = 1 -
  // h^2.
  const double w = 0.7, u = -1.3, x = 0.9, c = 2.0, dw = 0.4, du = 0.6;
  const Mlp mlp({1, {1}, 1, Activation::kTanh});
  const auto scalar = [](double value) { return torch::full({1, 1, 1}, value, torch::kFloat64); };
  const auto bias = torch::zeros({1, 1}, torch::kFloat64);
  const auto named = [&](double first, double second) {
    return Params({{"layer0.weight", scalar(first)},
                   {"layer0.bias", bias},
                   {"layer1.weight", scalar(second)},
                   {"layer1.bias", bias}});
  };
  MlpLinearization here(mlp, named(w, u), scalar(x));
  const double h = std::tanh(w * x), s = 1 - h * h;
  CHECK(here.output().item<double>() == Approx(u * h));
  CHECK(here.pushforward(named(dw, du)).item<double>() == Approx(u * x * s * dw + h * du));
  const auto gradient = here.pullback(scalar(c));
  CHECK(gradient.at("layer0.weight").item<double>() == Approx(c * u * x * s));
  CHECK(gradient.at("layer1.weight").item<double>() == Approx(c * h));
  CHECK(gradient.at("layer0.bias").item<double>() == Approx(c * u * s));
  CHECK(gradient.at("layer1.bias").item<double>() == Approx(c));
  const auto second = here.pullback_tangent(named(dw, du), scalar(c), scalar(0));
  CHECK(second.at("layer0.weight").item<double>() == Approx(c * (-2 * u * x * x * h * s * dw + x * s * du)));
  CHECK(second.at("layer1.weight").item<double>() == Approx(c * x * s * dw));
}

TEST_CASE("a ReLU unit passes where its input is positive, and a NaN shows", "[mlp]") {
  const Mlp mlp({1, {1}, 1, Activation::kRelu});
  const auto one = torch::ones({1, 1, 1}, torch::kFloat64), none = torch::zeros({1, 1}, torch::kFloat64);
  const Params params(
      {{"layer0.weight", one}, {"layer0.bias", none}, {"layer1.weight", one}, {"layer1.bias", none}});
  const auto x = torch::tensor({-1.0, 0.0, 2.0, std::nan("")}, torch::kFloat64).view({1, 4, 1});
  const auto y = mlp_output(mlp, params, x).view(-1);
  CHECK(y.slice(0, 0, 3).equal(torch::tensor({0.0, 0.0, 2.0}, torch::kFloat64)));
  CHECK(std::isnan(y[3].item<double>()));
}

TEST_CASE("a task's slice has the bits it has alone", "[mlp]") {
  const int64_t samples = GENERATE(10, 300);
  for (const auto activation : {Activation::kTanh, Activation::kRelu}) {
    const MlpPoint at(MlpCase{{2, {21, 10}, 3, activation}, 3, samples});
    MlpLinearization all(at.mlp, at.params, at.x);
    for (int64_t t = 0; t < 3; ++t) {
      const auto part = [t](const torch::Tensor& tensor) { return tensor.narrow(0, t, 1); };
      MlpLinearization alone(at.mlp, at.params.slice(t), part(at.x));
      const auto along = at.direction.slice(t);
      CHECK(alone.output().equal(part(all.output())));
      CHECK(alone.pushforward(along).equal(part(all.pushforward(at.direction))));
      CHECK(identical(alone.pullback(part(at.c)), all.pullback(at.c).slice(t)));
      CHECK(identical(alone.pullback_tangent(along, part(at.c), part(at.ct)),
                      all.pullback_tangent(at.direction, at.c, at.ct).slice(t)));
    }
  }
}

TEST_CASE("float32 agrees with float64", "[mlp]") {
  for (const auto& one : cases()) {
    const MlpPoint at(one);
    const auto f = [](const torch::Tensor& t) { return t.to(torch::kFloat32); };
    const auto d = [](const Params& p) { return p.to(torch::kFloat64); };
    // A ReLU near its kink may fall on either side in float32: the reference starts from the rounded values.
    const auto params = at.params.to(torch::kFloat32), along = at.direction.to(torch::kFloat32);
    MlpLinearization narrow(at.mlp, params, f(at.x));
    MlpLinearization wide(at.mlp, d(params), f(at.x).to(torch::kFloat64));
    CHECK(error(narrow.output().to(torch::kFloat64), wide.output()) < 1e-5);
    CHECK(error(narrow.pushforward(along).to(torch::kFloat64), wide.pushforward(d(along))) < 1e-5);
    CHECK(error(d(narrow.pullback(f(at.c))), wide.pullback(f(at.c).to(torch::kFloat64))) < 1e-5);
    CHECK(error(d(narrow.pullback_tangent(along, f(at.c), f(at.ct))),
                wide.pullback_tangent(d(along), at.c, at.ct)) < 1e-5);
  }
}

TEST_CASE("what is kept between calls never answers for other arguments", "[mlp]") {
  const int64_t samples = GENERATE(10, 70);
  const MlpPoint at(MlpCase{{2, {9, 6}, 2, Activation::kTanh}, 2, samples}),
      other(MlpCase{{2, {9, 6}, 2}, 2, samples}, 2);
  const auto fresh = [&](const Params& v, const torch::Tensor& c) {
    return MlpLinearization(at.mlp, at.params, at.x).pullback_tangent(v, c, at.ct);
  };
  MlpLinearization here(at.mlp, at.params, at.x);
  const auto direction = at.direction.cloned();
  const auto c = at.c.clone();
  const auto first = here.pullback_tangent(direction, c, at.ct);
  CHECK(identical(first, fresh(direction, c)));
  here.pushforward(other.direction);  // now the kept tangent is another direction's
  CHECK(identical(here.pullback_tangent(direction, c, at.ct), first));
  CHECK(identical(here.pullback_tangent(direction, other.c, at.ct), fresh(direction, other.c)));
  direction[2].mul_(3);  // the same objects with other values
  c.add_(1);
  const auto changed = here.pullback_tangent(direction, c, at.ct);
  CHECK(identical(changed, fresh(direction, c)));
  CHECK(!identical(changed, first));
  here.pullback(other.c);  // a pullback disturbs nothing
  CHECK(identical(here.pullback_tangent(direction, c, at.ct), changed));
}

TEST_CASE("shared, strided and further parameters are read as they are, and results have no graph", "[mlp]") {
  const int64_t samples = GENERATE(5, 33);
  const MlpPoint at(MlpCase{{4, {6, 7}, 3, Activation::kTanh}, 1, samples});
  const auto x = normal(*std::make_unique<Stream>(StreamKey{.seed = 3}), {samples, 2, 4}).transpose(0, 1);
  const auto strided = at.params.map([](const torch::Tensor& t) {
    return t.transpose(-1, -2).contiguous().transpose(-1, -2);  // equal values, columns first
  });
  const auto shared = strided.expanded(2).as_leaves().joined(Params({{"log_std", torch::zeros({2, 3})}}));
  const auto plain = at.params.expanded(2).cloned();
  MlpLinearization a(at.mlp, shared, x), b(at.mlp, plain, x.contiguous());
  CHECK(a.output().equal(b.output()));
  CHECK(!a.output().requires_grad());
  const auto c = torch::ones_like(a.output());
  const auto gradient = a.pullback(c);
  CHECK(identical(gradient, b.pullback(c)));
  CHECK(gradient.names() == at.mlp.parameter_names());
  for (const auto& entry : gradient) CHECK(!entry.value.requires_grad());
  CHECK(!a.pushforward(shared).requires_grad());
}

TEST_CASE("parameters written to later are not seen", "[mlp]") {
  const int64_t samples = GENERATE(10, 70);
  const bool shared = GENERATE(false, true);
  const MlpPoint at(MlpCase{{2, {9, 6}, 2, Activation::kTanh}, 2, samples});
  const auto own = shared ? at.params.slice(0).cloned() : at.params.cloned();
  const auto params = shared ? own.expanded(2) : own;
  const auto untouched = params.cloned();
  MlpLinearization here(at.mlp, params, at.x), expected(at.mlp, untouched, at.x);
  for (const auto& entry : own) entry.value.mul_(3);
  CHECK(identical(here.pullback(at.c), expected.pullback(at.c)));
  CHECK(identical(here.pullback_tangent(at.direction, at.c, at.ct),
                  expected.pullback_tangent(at.direction, at.c, at.ct)));
}

TEST_CASE("no samples give no output and zero gradients", "[mlp]") {
  const MlpPoint at(MlpCase{{2, {5}, 3, Activation::kTanh}, 2, 0});
  MlpLinearization here(at.mlp, at.params, at.x);
  CHECK(here.output().sizes() == at::IntArrayRef({2, 0, 3}));
  CHECK(here.pushforward(at.direction).sizes() == at::IntArrayRef({2, 0, 3}));
  CHECK(identical(here.pullback(at.c), at.params.zeros_like()));
  CHECK(identical(here.pullback_tangent(at.direction, at.c, at.ct), at.params.zeros_like()));
}

TEST_CASE("different objects serve different threads at once", "[mlp]") {
  const MlpPoint at(MlpCase{{2, {30, 30}, 2, Activation::kTanh}, 1, 500});
  const auto product = [&] {
    return MlpLinearization(at.mlp, at.params, at.x).pullback_tangent(at.direction, at.c, at.ct);
  };
  const auto expected = product();
  std::vector<Params> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = product(); });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) CHECK(identical(result, expected));
}

TEST_CASE("wrong shapes and types are refused with what was found and expected", "[mlp]") {
  const MlpPoint at(MlpCase{{2, {5}, 3, Activation::kTanh}, 2, 4});
  CHECK_THROWS_WITH(MlpLinearization(at.mlp, at.params, at.x[0]),
                    contains("[4, 2], expected [tasks, samples, inputs]"));
  CHECK_THROWS_WITH(MlpLinearization(at.mlp, at.params, at.c), contains("x is") && contains("expected"));
  CHECK_THROWS_WITH(MlpLinearization(at.mlp, at.params.slice(0), at.x),
                    contains("parameter 'layer0.weight' is"));
  CHECK_THROWS_WITH(MlpLinearization(at.mlp, at.params.to(torch::kFloat32), at.x), contains("Float"));
  CHECK_THROWS_WITH(MlpLinearization(at.mlp, at.params, at.x.to(torch::kInt64)), contains("Long"));
  CHECK_THROWS_WITH(MlpLinearization(at.mlp, at.params.select({"layer0.weight"}), at.x),
                    contains("layer0.bias"));
  MlpLinearization here(at.mlp, at.params, at.x);
  CHECK_THROWS_AS(here.pullback(at.x), Error);
  CHECK_THROWS_AS(here.pushforward(at.direction.slice(0)), Error);
  CHECK_THROWS_AS(here.pullback_tangent(at.direction, at.c, at.x), Error);
}

}  // namespace
}  // namespace innerloop
