#include "meta/algorithms/mt_net.h"

#include <cmath>

#include "base/error.h"
#include "meta/algorithms/t_net.h"
#include "meta/gradient_method.h"
#include "networks/mlp.h"
#include "networks/tensors/derivatives.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor number(double value) { return torch::full({1, 1}, value, torch::kFloat64); }

// Three tasks, a layer of four outputs and two inputs; every gradient is one.
struct Layer {
  Params phi = Params({{"layer0.weight", torch::zeros({3, 4, 2}, torch::kFloat64)},
                       {"layer0.bias", torch::zeros({3, 4}, torch::kFloat64)},
                       {"norm0.bias", torch::zeros({3, 4}, torch::kFloat64)}});
  Params gradient = phi.map([](const Tensor& value) { return torch::ones_like(value); });
  Tensor loss = torch::zeros({3}, torch::kFloat64);

  // -phi / alpha after one step: what of the gradient it took.
  Params taken(const UpdateRule& rule, const Params& own, int64_t step, const Moment& now) const {
    return (-1 / 0.1) * rule.update({own, phi, gradient, {}, loss, step, 1, now}).phi;
  }
};

Params own_of(const UpdateRule& rule, const Params& adapted) {
  Stream stream(StreamKey{});
  return rule.meta_parameters(adapted.slice(0), 1, stream);
}

}  // namespace

// U = (.6, .3), zeta = 0: g = (.67172699, -.18562676), softmax (.70210748, .29789252), so m = 1, dm/dzeta =
// .70210748 .29789252.
TEST_CASE("mt_net: a mask and its derivative are those worked out by hand", "[meta]") {
  const Tensor u = torch::tensor({.6, .3}, torch::kFloat64).view({2, 1, 1});
  const auto mask = [&](const Tensors& zeta) { return Tensors{gumbel_mask(zeta[0], u, 1)}; };
  CHECK(mask({number(0)})[0].item<double>() == Approx(1));
  CHECK(vjp(mask, {number(0)}, {number(1)})[0].item<double>() == Approx(.20915257));
  CHECK(mask({number(-1)})[0].item<double>() == 0);  // .857 ahead, less 1
  CHECK(std::abs(gumbel_mask(number(0), u.flip(0), 1).item<double>()) < 1e-12);
  const auto cold = [&](const Tensors& zeta) { return Tensors{gumbel_mask(zeta[0], u, 0.5)}; };
  const double p = 1 / (1 + std::exp(-2 * (.67172699 + .18562676)));
  CHECK(vjp(cold, {number(0)}, {number(1)})[0].item<double>() == Approx(2 * p * (1 - p)));
}

TEST_CASE("mt_net: a masked output does not move, and the mask lasts for all steps of a task", "[meta]") {
  const Layer layer;
  const auto rule = masked_step(0.1, 1, true);
  const Params own = own_of(*rule, layer.phi);
  CHECK(own.names() == std::vector<std::string>{"inner.mask.layer0"});
  const Moment now{.seed = 4, .iteration = 2};
  const Params first = layer.taken(*rule, own, 0, now);
  CHECK(identical(first, layer.taken(*rule, own, 1, now)));
  const Tensor weight = first.at("layer0.weight"), bias = first.at("layer0.bias");
  CHECK(torch::allclose(weight.select(2, 0), bias));  // one mask for a row and its bias
  CHECK(torch::allclose(weight.select(2, 1), bias));
  CHECK(((bias.abs() < 1e-9) | ((bias - 1).abs() < 1e-9)).all().item<bool>());
  CHECK_FALSE(torch::allclose(bias[0], bias[1]));  // another for every task
  CHECK(torch::allclose(first.at("norm0.bias"), torch::ones_like(bias)));
  CHECK_FALSE(
      torch::allclose(bias, layer.taken(*rule, own, 0, {.seed = 4, .iteration = 3}).at("layer0.bias")));

  const auto forced = [&](double zeta) {
    return layer.taken(*rule, own.map([&](const Tensor& z) { return torch::full_like(z, zeta); }), 0, now);
  };
  CHECK(torch::allclose(forced(50).at("layer0.weight"), torch::ones_like(weight)));
  CHECK(largest(forced(-50).select({"layer0.weight", "layer0.bias"})) < 1e-9);
}

// sigma(1) = .731 of the outputs move.
TEST_CASE("mt_net: an output moves with the probability that zeta says", "[meta]") {
  const Layer layer;
  const auto rule = masked_step(0.1, 1, true);
  const Params own = own_of(*rule, layer.phi).map([](const Tensor& z) { return torch::ones_like(z); });
  double moved = 0;
  for (int64_t i = 0; i < 400; ++i) {
    moved += layer.taken(*rule, own, 0, {.iteration = i}).at("layer0.bias").sum().item<double>();
  }
  CHECK(moved / (400 * 12) == Approx(1 / (1 + std::exp(-1.0))).margin(0.02));
}

TEST_CASE("mt_net: without sharing every weight has a mask of its own, drawn for every step", "[meta]") {
  const Layer layer;
  const auto rule = masked_step(0.1, 1, false);
  const Params own = own_of(*rule, layer.phi);
  CHECK(own.at("inner.mask.layer0.weight").sizes() == std::vector<int64_t>{1, 4, 2});
  CHECK(own.contains("inner.mask.layer0.bias"));
  const Moment now{.seed = 4};
  const Params first = layer.taken(*rule, own, 0, now), second = layer.taken(*rule, own, 1, now);
  CHECK(identical(first, layer.taken(*rule, own, 0, now)));
  CHECK_FALSE(torch::allclose(first.at("layer0.weight"), second.at("layer0.weight")));
  CHECK_FALSE(
      torch::allclose(first.at("layer0.weight").select(2, 0), first.at("layer0.weight").select(2, 1)));
}

// y = T W x, as t_net_test.cpp has it; a mask (1, 0) moves the first row alone: y = (-1.2, -1).
TEST_CASE("mt_net: a step of the first output alone is the one worked out by hand", "[meta]") {
  class Norm : public Task {
   public:
    int64_t size() const override { return 1; }
    Tensor loss(Part, const Params& p, int64_t) const override { return output(p).square().sum(1) / 2; }
    static Tensor output(const Params& p) {
      return p.at("layer0.weight").matmul(torch::tensor({1., -1.}, torch::kFloat64).view({2, 1})).squeeze(2);
    }
  };
  const auto method = mt_net().policy_method(
      {},
      {.inner = {.steps = 1, .step_size = 0.1}, .initial = [](Stream&) {
         return Params({{"layer0.weight", torch::tensor({1., 2., 3., 4.}, torch::kFloat64).view({1, 2, 2})}});
       }});
  Stream stream(StreamKey{});
  const Params meta = method->initial(stream).cloned();
  meta.at("transform.layer0").copy_(torch::tensor({1., .5, 0., 1.}, torch::kFloat64).view({1, 2, 2}));
  meta.at("inner.mask.layer0").copy_(torch::tensor({50., -50.}, torch::kFloat64).view({1, 2}));
  const Norm task;
  const auto view = method->view(task, {});
  const auto adaptation = method->inner().adapt(meta, *view);
  const Params after = method->read(adaptation.adapted(), Part::kQuery, 1, {});
  CHECK(torch::allclose(Norm::output(after), torch::tensor({-1.2, -1.}, torch::kFloat64).view({1, 2})));
}

TEST_CASE("mt_net: with all masks open its meta-gradient is t_net's", "[meta]") {
  class Line : public Task {
   public:
    int64_t size() const override { return 1; }
    Tensor loss(Part part, const Params& p, int64_t) const override {
      const Tensor x = torch::tensor({.3, -1., 2.}, torch::kFloat64).view({1, 3, 1});
      const Tensor y = network_.forward(p, x) - (part == Part::kSupport ? x : x.square());
      return y.square().mean({1, 2});
    }

   private:
    Mlp network_{{1, {3}, 1, Activation::kTanh}};
  };
  const auto make = [](const Algorithm& algorithm) {
    return algorithm.policy_method(
        {}, {.inner = {.steps = 2, .step_size = 0.1}, .initial = [](Stream& stream) {
               return Mlp({1, {3}, 1, Activation::kTanh}).initial(stream).to(torch::kFloat64);
             }});
  };
  const auto masked = make(mt_net());
  Stream stream(StreamKey{3, Purpose::kTest});
  Params meta = masked->initial(stream);
  std::vector<Tensor> values;
  for (const auto& entry : meta) {
    const bool mask = entry.name.rfind("inner.mask.", 0) == 0;
    values.push_back(mask ? torch::full_like(entry.value, 50) : entry.value);
  }
  meta = meta.with(std::move(values));
  const Line task;
  const auto gradient = [&](const GradientMethod& method, const Params& at) {
    const auto view = method.view(task, {});
    const auto adaptation = method.inner().adapt(at, *view);
    return meta_gradient(method.objective().at(adaptation, *view, {}), adaptation);
  };
  const Params found = gradient(*masked, meta).without("inner.");
  const Params open = gradient(*make(t_net()), meta.without("inner."));
  CHECK(distance(found, open) < 1e-12);
  CHECK(largest(open.part("transform.")) > 1e-3);
}
