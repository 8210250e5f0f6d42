#include "meta/inner_loop.h"

#include "base/error.h"
#include "meta/meta_objective.h"
#include "networks/mlp.h"
#include "tests/meta/finite_difference.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// L_support = |p - g|^2 / 2, L_query = |p - h|^2 / 2: every derivative is known.
class Quadratic : public Task {
 public:
  Quadratic(Tensor g, Tensor h) : g_(std::move(g)), h_(std::move(h)) {}
  int64_t size() const override { return g_.size(0); }
  Tensor support_loss(const Params& p, int64_t) const override { return (p[0] - g_).pow(2).sum(1) / 2; }
  Tensor query_loss(const Params& p, int64_t) const override { return (p[0] - h_).pow(2).sum(1) / 2; }

 private:
  Tensor g_, h_;
};

// Regression with a small tanh network: nothing about it is symmetric or linear. Step k has data of its own.
class Regression : public Task {
 public:
  Regression(const Mlp& network, int64_t tasks, int64_t samples, uint64_t seed) : network_(network) {
    Stream stream(StreamKey{seed, Purpose::kTest});
    const auto draw = [&](int64_t size) {
      Tensor out = torch::empty({tasks, samples, size}, torch::kFloat64);
      for (int64_t i = 0; i < out.numel(); ++i) out.view(-1)[i] = stream.normal();
      return out;
    };
    for (int k = 0; k < 5; ++k) {
      x_.push_back(draw(network.config().inputs));
      y_.push_back(draw(network.config().outputs));
    }
  }
  Regression slice(int64_t t) const {
    Regression out = *this;
    for (auto* list : {&out.x_, &out.y_}) {
      for (auto& tensor : *list) tensor = tensor.narrow(0, t, 1);
    }
    return out;
  }
  int64_t size() const override { return x_[0].size(0); }
  Tensor support_loss(const Params& p, int64_t step) const override {
    return loss(p, static_cast<size_t>(step));
  }
  Tensor query_loss(const Params& p, int64_t) const override { return loss(p, 4); }

 private:
  Tensor loss(const Params& p, size_t set) const {
    return (network_.forward(p, x_[set]) - y_[set]).pow(2).mean({1, 2});
  }
  Mlp network_;
  std::vector<Tensor> x_, y_;
};

Mlp small_network() { return Mlp({2, {3, 2}, 2, Activation::kTanh}); }

Params small_initial(uint64_t seed = 3) {
  Stream stream(StreamKey{seed, Purpose::kTest});
  return small_network().initial(stream).to(torch::kFloat64);
}

double meta_loss(const InnerLoop& inner, const Params& meta, const Task& task) {
  return LastStepObjective().at(inner.adapt(meta, task), task).loss.sum().item<double>();
}

}  // namespace

TEST_CASE("on quadratics the meta-gradient is (1 - alpha)^K (phi_K - h)", "[meta]") {
  const auto steps = GENERATE(int64_t{0}, int64_t{1}, int64_t{3});
  const double alpha = 0.3;
  const Tensor g = torch::tensor({{1.0, -2.0}, {0.5, 4.0}}, torch::kFloat64);
  const Tensor h = torch::tensor({{0.0, 1.0}, {-1.0, 2.0}}, torch::kFloat64);
  const Quadratic task(g, h);
  const Params initial({{"p", torch::tensor({{0.2, 0.7}}, torch::kFloat64)}});
  const InnerLoop inner({.steps = steps, .step_size = alpha}, initial);

  const double shrink = std::pow(1 - alpha, static_cast<double>(steps));
  const Tensor phi = g + shrink * (initial[0] - g);  // phi_K - g = (1 - alpha)^K (theta - g)
  CHECK(torch::allclose(inner.adapt(initial, task).adapted()[0], phi));
  const auto result = meta_gradient(inner, LastStepObjective(), initial, task);
  CHECK(torch::allclose(result.gradient[0], (shrink * (phi - h)).sum(0, true)));
  CHECK(torch::allclose(result.loss, (phi - h).pow(2).sum(1) / 2));

  const InnerLoop first_order({.steps = steps, .step_size = alpha, .first_order = true}, initial);
  CHECK(torch::allclose(meta_gradient(first_order, LastStepObjective(), initial, task).gradient[0],
                        (phi - h).sum(0, true)));
}

TEST_CASE("the meta-gradient equals finite differences for every rule, subset and number of steps",
          "[meta]") {
  const auto steps = GENERATE(int64_t{1}, int64_t{3});
  const auto rule = GENERATE(std::string("fixed"), std::string("per_parameter"));
  const auto adapt =
      GENERATE(std::string("all"), std::string("layer2.*"), std::string("layer0.weight,layer1.*"));
  const auto network = small_network();
  const Regression task(network, 3, 5, 11);
  const Params initial = small_initial();
  const InnerLoop inner({.steps = steps, .step_size = 0.4, .adapt = adapt, .step_sizes = rule}, initial);
  Params meta = inner.meta_parameters(initial);
  meta = meta + 0.05 * normal_like(meta, 5);  // step sizes that differ from entry to entry

  const Params exact = meta_gradient(inner, LastStepObjective(), meta, task).gradient;
  const Params numeric = finite_difference([&](const Params& p) { return meta_loss(inner, p, task); }, meta);
  CHECK(distance(exact, numeric) < 1e-7);

  const InnerLoop first_order(
      {.steps = steps, .step_size = 0.4, .first_order = true, .adapt = adapt, .step_sizes = rule}, initial);
  CHECK(distance(meta_gradient(first_order, LastStepObjective(), meta, task).gradient, numeric) > 1e-3);
}

TEST_CASE("the meta-gradient equals one autograd graph over all steps", "[meta]") {
  const auto network = small_network();
  const Regression task(network, 2, 4, 12);
  const Params initial = small_initial();
  const double alpha = 0.4;
  const InnerLoop inner({.steps = 3, .step_size = alpha}, initial);

  const Params theta = initial.as_leaves();
  Params phi = theta.expanded(2);
  for (int64_t k = 0; k < 3; ++k) {
    const auto gradient = torch::autograd::grad({task.support_loss(phi, k).sum()}, phi.tensors(), {}, true,
                                                /*create_graph=*/true);
    phi = zip(phi, phi.with(gradient), [&](const Tensor& p, const Tensor& g) { return p - alpha * g; });
  }
  const auto expected = theta.with(torch::autograd::grad({task.query_loss(phi, 3).sum()}, theta.tensors()));
  CHECK(distance(meta_gradient(inner, LastStepObjective(), initial, task).gradient, expected) < 1e-12);
}

TEST_CASE("cotangents on intermediate steps are pulled back too", "[meta]") {
  const auto network = small_network();
  const Regression task(network, 2, 4, 13);
  const Params initial = small_initial();
  const InnerLoop inner({.steps = 3, .step_size = 0.3}, initial);
  const std::vector<double> weights{0.0, 0.2, 0.3, 0.5};
  const auto weighted = [&](const Params& p) {
    const auto adaptation = inner.adapt(p, task);
    double sum = 0;
    for (int64_t k = 1; k <= 3; ++k) {
      sum += weights[static_cast<size_t>(k)] * task.query_loss(adaptation.phi(k), k).sum().item<double>();
    }
    return sum;
  };
  const auto adaptation = inner.adapt(initial, task);
  std::vector<Params> cotangents(4);
  for (int64_t k = 1; k <= 3; ++k) {
    const auto i = static_cast<size_t>(k);
    cotangents[i] = weights[i] * task.query_at(adaptation.phi(k), k)->gradient();
  }
  CHECK(distance(adaptation.pullback(cotangents), finite_difference(weighted, initial)) < 1e-7);
  CHECK_THROWS_WITH(adaptation.pullback(std::vector<Params>(2)), contains("expected one per step"));
}

TEST_CASE("the pushforward is the derivative of the adapted parameters and the adjoint of the pullback",
          "[meta]") {
  const auto rule = GENERATE(std::string("fixed"), std::string("per_parameter"));
  const auto network = small_network();
  const Regression task(network, 2, 4, 14);
  const Params initial = small_initial();
  const InnerLoop inner({.steps = 2, .step_size = 0.4, .step_sizes = rule}, initial);
  const Params meta = inner.meta_parameters(initial);
  const Params direction = normal_like(meta, 6);
  const auto adaptation = inner.adapt(meta, task);
  const Params tangent = adaptation.pushforward(direction);

  const double epsilon = 1e-6;
  const Params numeric = (0.5 / epsilon) * (inner.adapt(meta + epsilon * direction, task).adapted() -
                                            inner.adapt(meta - epsilon * direction, task).adapted());
  CHECK(distance(tangent, numeric) < 1e-7);

  const Params cotangent = normal_like(adaptation.adapted(), 7);
  CHECK(inner_product(cotangent, tangent) ==
        Approx(inner_product(adaptation.pullback(cotangent), direction)).epsilon(1e-12));
}

TEST_CASE("the rules' own derivatives equal autograd's of their update", "[meta]") {
  const auto name = GENERATE(from_range(update_rule_names()));
  const auto rule = make_update_rule(name, 0.2);
  const Params initial = small_initial();
  Params own = rule->meta_parameters(initial);
  if (!own.empty()) own = own + 0.1 * normal_like(own, 1);
  const Params phi = initial.expanded(3) + normal_like(initial.expanded(3), 2);
  const Params gradient = normal_like(phi, 3), cotangent = normal_like(phi, 4);

  const auto fast = rule->pullback(own, phi, gradient, 0.5, cotangent);
  const auto reference = rule->UpdateRule::pullback(own, phi, gradient, 0.5, cotangent);
  if (!own.empty()) CHECK(distance(fast.rule, reference.rule) < 1e-12);
  CHECK(distance(fast.phi, reference.phi) < 1e-12);
  CHECK(distance(fast.gradient, reference.gradient) < 1e-12);
  CHECK(largest(reference.gradient) > 1e-3);

  const UpdateRule::Tangents direction{own.empty() ? own : normal_like(own, 5), normal_like(phi, 6),
                                       normal_like(phi, 7)};
  CHECK(distance(rule->pushforward(own, phi, gradient, 0.5, direction),
                 rule->UpdateRule::pushforward(own, phi, gradient, 0.5, direction)) < 1e-12);
}

TEST_CASE("tasks adapted in one batch adapt as each does alone", "[meta]") {
  const auto network = small_network();
  const Regression task(network, 3, 6, 15);
  const Params initial = small_initial();
  const InnerLoop inner({.steps = 2, .step_size = 0.4}, initial);
  const auto together = inner.adapt(initial, task);
  Params sum = initial.zeros_like();
  for (int64_t t = 0; t < 3; ++t) {
    const Regression alone = task.slice(t);
    CHECK(distance(inner.adapt(initial, alone).adapted(), together.adapted().slice(t)) < 1e-14);
    sum = sum + meta_gradient(inner, LastStepObjective(), initial, alone).gradient;
  }
  CHECK(distance(meta_gradient(inner, LastStepObjective(), initial, task).gradient, sum) < 1e-13);
}

TEST_CASE("parameters outside the adapted subset stay, and still receive a meta-gradient", "[meta]") {
  const auto network = small_network();
  const Regression task(network, 2, 4, 16);
  const Params initial = small_initial();
  const InnerLoop inner({.steps = 2, .step_size = 0.4, .adapt = "layer2.*"}, initial);
  CHECK(inner.adapted_names() == std::vector<std::string>{"layer2.weight", "layer2.bias"});
  const auto adapted = inner.adapt(initial, task).adapted();
  CHECK(torch::equal(adapted.at("layer0.weight")[1], initial.at("layer0.weight")[0]));
  CHECK(!torch::equal(adapted.at("layer2.weight")[1], initial.at("layer2.weight")[0]));
  CHECK(meta_gradient(inner, LastStepObjective(), initial, task)
            .gradient.at("layer0.weight")
            .abs()
            .max()
            .item<double>() > 1e-4);
}

TEST_CASE("a scaled step halves the change", "[meta]") {
  const Quadratic task(torch::ones({1, 2}, torch::kFloat64), torch::zeros({1, 2}, torch::kFloat64));
  const Params initial({{"p", torch::zeros({1, 2}, torch::kFloat64)}});
  const InnerLoop inner({.steps = 1, .step_size = 0.4}, initial);
  auto adaptation = inner.start(initial, 1);
  inner.advance(adaptation, task, 0.5);
  CHECK(adaptation.adapted()[0][0][0].item<double>() == Approx(0.2));
  CHECK(adaptation.pullback(initial + Params({{"p", torch::ones({1, 2}, torch::kFloat64)}}))[0][0][0]
            .item<double>() == Approx(0.8));
}

TEST_CASE("an inner loop that cannot be meant is refused", "[meta]") {
  const Params initial = small_initial();
  CHECK_THROWS_WITH(InnerLoop({.adapt = "layer9.*"}, initial), contains("no parameter matches 'layer9.*'"));
  CHECK_THROWS_WITH(InnerLoop({.steps = -1}, initial), contains("inner.steps: -1"));
  CHECK_THROWS_WITH(InnerLoop({.step_size = 0}, initial), contains("expected a positive number"));
  CHECK_THROWS_WITH(InnerLoop({.step_sizes = "fxed"}, initial), contains("did you mean 'fixed'?"));
}

TEST_CASE("a loss of the wrong shape is refused", "[meta]") {
  const Params p({{"p", torch::zeros({2, 3}, torch::kFloat64)}});
  CHECK_THROWS_WITH(autograd_loss([](const Params& q) { return q[0].sum(); }, p),
                    contains("one value per task"));
}

TEST_CASE("an entry that the loss ignores has zero derivatives", "[meta]") {
  const Params p(
      {{"used", torch::ones({1, 2}, torch::kFloat64)}, {"unused", torch::ones({1, 3}, torch::kFloat64)}});
  const auto loss = autograd_loss([](const Params& q) { return q[0].pow(3).sum(1); }, p);
  CHECK(loss->gradient().at("unused").abs().max().item<double>() == 0);
  const Params product = loss->hessian_product(p);
  CHECK(torch::allclose(product.at("used"), 6 * p.at("used")));
  CHECK(product.at("unused").abs().max().item<double>() == 0);
}
