#include "meta/inner_loop.h"

#include "base/error.h"
#include "meta/algorithms/meta_sgd.h"
#include "meta/meta_objective.h"
#include "networks/mlp.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/meta_gradient.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// L_support = |p - g|^2 / 2, L_query = |p - h|^2 / 2: every derivative is known.
class Quadratic : public Task {
 public:
  Quadratic(Tensor g, Tensor h) : g_(std::move(g)), h_(std::move(h)) {}
  int64_t size() const override { return g_.size(0); }
  Tensor loss(Part part, const Params& p, int64_t) const override {
    return (p[0] - (part == Part::kSupport ? g_ : h_)).pow(2).sum(1) / 2;
  }

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
  Tensor loss(Part part, const Params& p, int64_t step) const override {
    const size_t set = part == Part::kSupport ? static_cast<size_t>(step) : 4;
    return (network_.forward(p, x_[set]) - y_[set]).pow(2).mean({1, 2});
  }

 private:
  Mlp network_;
  std::vector<Tensor> x_, y_;
};

Mlp small_network() { return Mlp({2, {3, 2}, 2, Activation::kTanh}); }

Params small_initial(uint64_t seed = 3) {
  Stream stream(StreamKey{seed, Purpose::kTest});
  return small_network().initial(stream).to(torch::kFloat64);
}

Params with_rule(const InnerLoop& inner, const Params& initial) {
  Stream stream(StreamKey{4, Purpose::kTest});
  return inner.meta_parameters(initial, stream);
}

double meta_loss(const InnerLoop& inner, const Params& meta, const Task& task) {
  return meta_loss(inner, LastStepObjective(), meta, task);
}

std::shared_ptr<const UpdateRule> rule_named(const std::string& name, double step_size) {
  if (name == "per_parameter") return per_parameter_step(step_size);
  return std::make_shared<FixedStep>(step_size);
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
  const InnerLoop inner({.steps = steps, .step_size = 0.4, .adapt = adapt}, initial,
                        {.rule = rule_named(rule, 0.4)});
  Params meta = with_rule(inner, initial);
  meta = meta + 0.05 * normal_like(meta, 5);  // step sizes that differ from entry to entry

  const Params exact = meta_gradient(inner, LastStepObjective(), meta, task).gradient;
  const Params numeric = finite_difference([&](const Params& p) { return meta_loss(inner, p, task); }, meta);
  CHECK(distance(exact, numeric) < 1e-7);

  const InnerLoop first_order({.steps = steps, .step_size = 0.4, .first_order = true, .adapt = adapt},
                              initial, {.rule = rule_named(rule, 0.4)});
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
    const auto gradient =
        torch::autograd::grad({task.loss(Part::kSupport, phi, k).sum()}, phi.tensors(), {}, true,
                              /*create_graph=*/true);
    phi = zip(phi, phi.with(gradient), [&](const Tensor& p, const Tensor& g) { return p - alpha * g; });
  }
  const auto expected =
      theta.with(torch::autograd::grad({task.loss(Part::kQuery, phi, 3).sum()}, theta.tensors()));
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
      sum += weights[static_cast<size_t>(k)] *
             task.loss(Part::kQuery, adaptation.phi(k), k).sum().item<double>();
    }
    return sum;
  };
  const auto adaptation = inner.adapt(initial, task);
  std::vector<Params> cotangents(4);
  for (int64_t k = 1; k <= 3; ++k) {
    const auto i = static_cast<size_t>(k);
    cotangents[i] = weights[i] * task.loss_at(Part::kQuery, adaptation.phi(k), k)->gradient();
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
  const InnerLoop inner({.steps = 2}, initial, {.rule = rule_named(rule, 0.4)});
  const Params meta = with_rule(inner, initial);
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
  const auto name = GENERATE(std::string("fixed"), std::string("per_parameter"));
  const auto rule = rule_named(name, 0.2);
  const Params initial = small_initial(), none;
  Stream stream(StreamKey{4, Purpose::kTest});
  Params own = rule->meta_parameters(initial, 2, stream);
  if (!own.empty()) own = own + 0.1 * normal_like(own, 1);
  const Params phi = initial.expanded(3) + normal_like(initial.expanded(3), 2);
  const Params gradient = normal_like(phi, 3), cotangent = normal_like(phi, 4);
  const Tensor loss = torch::ones({3}, torch::kFloat64);
  const UpdateRule::In in{own, phi, gradient, none, loss, 1, 0.5};

  const auto fast = rule->pullback(in, {cotangent, {}});
  const auto reference = rule->UpdateRule::pullback(in, {cotangent, {}});
  if (!own.empty()) CHECK(distance(fast.rule, reference.rule) < 1e-12);
  CHECK(distance(fast.phi, reference.phi) < 1e-12);
  CHECK(distance(fast.gradient, reference.gradient) < 1e-12);
  CHECK(largest(reference.gradient) > 1e-3);

  const UpdateRule::Tangents direction{
      own.empty() ? own : normal_like(own, 5), normal_like(phi, 6), normal_like(phi, 7), {}, {}};
  CHECK(distance(rule->pushforward(in, direction).phi, rule->UpdateRule::pushforward(in, direction).phi) <
        1e-12);
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
  CHECK_THROWS_WITH(InnerLoop({.adapt = "a\001"}, initial), contains("no parameter matches 'a\\x01'"));
  CHECK_THROWS_WITH(InnerLoop({.steps = -1}, initial), contains("inner.steps: -1"));
  CHECK_THROWS_WITH(InnerLoop({.step_size = 0}, initial), contains("expected a positive number"));
  CHECK_THROWS_WITH(InnerLoop({.steps = 0}, initial, {.rule = per_parameter_step(0.1)}),
                    contains("inner.steps: 0"));
  CHECK_THROWS_WITH(InnerLoop({.adapt = "head"}, initial), contains("no parameter matches 'head'"));
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

namespace {

// Everything a rule may use: momentum as state, whose first value is a function of phi_0 and of a
// meta-parameter; a step that depends on the loss's value and on the number of the step; a step size of its
// own for each step, part of it drawn.
class ElaborateRule : public UpdateRule {
 public:
  Params meta_parameters(const Params&, int64_t steps, Stream& stream) const override {
    return Params({{"inner.rates", torch::full({1, steps}, 0.3, torch::kFloat64)},
                   {"inner.start", torch::full({1, 1}, 0.2 + 0.01 * stream.normal(), torch::kFloat64)}});
  }
  Params initial_state(const Params& rule, const Params& phi) const override {
    return phi.map([&](const Tensor& value) {
      return rule.at("inner.start").view(std::vector<int64_t>(static_cast<size_t>(value.dim()), 1)) * value;
    });
  }
  Out update(const In& in) const override {
    std::vector<Tensor> phi, state;
    for (size_t i = 0; i < in.phi.size(); ++i) {
      std::vector<int64_t> shape(static_cast<size_t>(in.phi[i].dim()), 1);
      shape[0] = in.loss.size(0);
      const Tensor rate =
          in.rule.at("inner.rates").select(1, in.step) * (1 + in.now.stream(in.step).uniform());
      const Tensor length = torch::sigmoid(in.loss).view(shape);
      state.push_back(0.5 * in.state[i] + in.gradient[i] * length);
      phi.push_back(in.phi[i] - in.scale * rate * torch::tanh(state.back()));
    }
    return {in.phi.with(phi), in.state.with(state)};
  }
};

// theta -> phi_0: not linear, other names and shapes, another phi_0 for every task.
class Squares : public ParameterMap {
 public:
  Params operator()(const Params& p, const At& at) const override {
    std::vector<Params::Entry> out;
    const Tensor factor = torch::arange(1, at.tasks + 1, torch::kFloat64);
    for (const auto& entry : p) {
      std::vector<int64_t> shape(static_cast<size_t>(entry.value.dim()), 1);
      shape[0] = at.tasks;
      out.push_back({"of." + entry.name, entry.value + 0.1 * factor.view(shape) * entry.value.square()});
    }
    return Params(std::move(out));
  }
};

// phi_k -> what the network reads: the names it knows, scaled by another number at every step.
class Sines : public ParameterMap {
 public:
  Params operator()(const Params& p, const At& at) const override {
    std::vector<Params::Entry> out;
    for (const auto& entry : p.part("of.")) {
      out.push_back({entry.name, torch::sin(entry.value) * (1 + 0.1 * static_cast<double>(at.step))});
    }
    return Params(std::move(out));
  }
};

}  // namespace

TEST_CASE("the meta-gradient is exact through maps, and through rules with state, loss and step", "[meta]") {
  const auto network = small_network();
  const Regression task(network, 3, 5, 17);
  const Params initial = small_initial();
  const auto sines = std::make_shared<Sines>();
  const MappedTask seen(task, *sines, {});
  const bool every_part = GENERATE(true, false);
  const std::string adapt = GENERATE("all", "of.layer1.*");
  InnerLoopParts parts{.rule = std::make_shared<ElaborateRule>(),
                       .initialisation = std::make_shared<Squares>()};
  if (!every_part) parts.rule = nullptr;
  const InnerLoop inner({.steps = 3, .step_size = 0.3, .adapt = adapt}, initial, parts);
  Params meta = with_rule(inner, initial);
  meta = meta + 0.02 * normal_like(meta, 8);

  const Params exact = meta_gradient(inner, LastStepObjective(), meta, seen).gradient;
  const Params numeric = finite_difference([&](const Params& p) { return meta_loss(inner, p, seen); }, meta);
  CHECK(distance(exact, numeric) < 1e-7);
  CHECK(largest(numeric) > 1e-3);
  if (every_part) CHECK(largest(numeric.part("inner.start")) > 1e-4);

  const Params direction = normal_like(meta, 9);
  const auto adaptation = inner.adapt(meta, seen);
  const double epsilon = 1e-6;
  const Params moved = (0.5 / epsilon) * (inner.adapt(meta + epsilon * direction, seen).adapted() -
                                          inner.adapt(meta - epsilon * direction, seen).adapted());
  CHECK(distance(adaptation.pushforward(direction), moved) < 1e-7);
}

TEST_CASE("first order drops second derivatives alone, for an objective too", "[meta]") {
  class Annealed : public LastStepObjective {
   public:
    At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
      At out = LastStepObjective::at(adaptation, task, now);
      out.second_order = now.iteration >= 5;
      return out;
    }
  };
  const auto network = small_network();
  const Regression task(network, 2, 5, 18);
  const Params initial = small_initial();
  const InnerLoop inner({.steps = 2, .step_size = 0.3}, initial);
  const InnerLoop first({.steps = 2, .step_size = 0.3, .first_order = true}, initial);
  const auto early = meta_gradient(inner, Annealed(), initial, task, {.iteration = 4}).gradient;
  const auto late = meta_gradient(inner, Annealed(), initial, task, {.iteration = 5}).gradient;
  CHECK(distance(early, meta_gradient(first, LastStepObjective(), initial, task).gradient) == 0);
  CHECK(distance(late, meta_gradient(inner, LastStepObjective(), initial, task).gradient) == 0);
  CHECK(distance(early, late) > 1e-4);
}

TEST_CASE("an adaptation that keeps its last parameters alone ends where the others do", "[meta]") {
  const auto network = small_network();
  const Regression task(network, 2, 5, 19);
  const Params initial = small_initial();
  const InnerLoop inner({.steps = 3, .step_size = 0.3}, initial);
  auto last = inner.start(initial, 2, {}, Keep::kLast);
  for (int k = 0; k < 3; ++k) inner.advance(last, task);
  CHECK(identical(last.adapted(), inner.adapt(initial, task).adapted()));
  CHECK(last.steps() == 3);
  CHECK_THROWS_WITH(last.pullback(initial), contains("keeps its last parameters alone"));
  CHECK_THROWS_WITH(last.phi(1), contains("only the last is kept"));
}

TEST_CASE("patterns of adapted parameters are matched in linear time, however long", "[meta]") {
  const Params initial = small_initial();
  const auto adapts = [&](const std::string& pattern) {
    return InnerLoop({.adapt = pattern}, initial, {.head = {"layer2.weight", "layer2.bias"}});
  };
  const std::string many(120000, '*'), thirty = concat(std::string(30, '*'), "x");
  adapts(many);
  CHECK_THROWS_WITH(adapts(thirty), contains("no parameter matches"));
  CHECK_THROWS_WITH(adapts(std::string(120000, 'a')), contains("120000 characters"));
  for (const std::string pattern : {"l*r0.*", "*weight", "layer1.bias", "head", "body", "all"})
    adapts(pattern);
  const auto network = small_network();
  const Regression task(network, 1, 4, 20);
  const auto moved = [&](const std::string& pattern, const std::string& name) {
    const auto phi = adapts(pattern).adapt(initial, task).adapted();
    return !torch::equal(phi.at(name), initial.at(name));
  };
  CHECK(moved("head", "layer2.bias"));
  CHECK_FALSE(moved("head", "layer0.weight"));
  CHECK(moved("body", "layer0.weight"));
  CHECK_FALSE(moved("body", "layer2.bias"));
  CHECK(moved("l*r1.*,*2.b*s", "layer1.weight"));
  CHECK(moved("l*r1.*,*2.b*s", "layer2.bias"));
  CHECK_FALSE(moved("l*r1.*,*2.b*s", "layer2.weight"));
}

TEST_CASE("a support loss that is not finite names task and inner step", "[meta]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor g = torch::tensor({{0.0, 1.0}, {nan, 0.0}}, torch::kFloat64);
  const Quadratic task(g, torch::zeros({2, 2}, torch::kFloat64));
  const Params initial({{"p", torch::zeros({1, 2}, torch::kFloat64)}});
  const InnerLoop inner({.steps = 1, .step_size = 0.4}, initial);
  CHECK_THROWS_WITH(inner.adapt(initial, task, {.first_task = 4}),
                    EndsWith("the support loss of task 5 at inner step 0 is not finite"));
  CHECK_THROWS_WITH(inner.adapt(initial, task, {.training = false, .first_task = 4}),
                    contains("with fewer steps (evaluation.steps) it can be evaluated"));
  const Quadratic second_step(torch::zeros({2, 2}, torch::kFloat64), torch::zeros({2, 2}, torch::kFloat64));
  auto adaptation = inner.start(initial, 2, {.first_task = 4});
  inner.advance(adaptation, second_step);
  CHECK_THROWS_WITH(inner.advance(adaptation, task), contains("task 5 at inner step 1"));
}
