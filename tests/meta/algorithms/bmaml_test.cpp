#include "meta/algorithms/bmaml.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/algorithms/emaml_ensemble.h"
#include "meta/gradient_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Params numbers(const std::vector<double>& values) {
  const auto count = static_cast<int64_t>(values.size());
  return Params({{"p", torch::tensor(values, torch::kFloat64).view({1, count, 1})}});
}

// (Theta' - Theta) / alpha for log p = -theta^2 / 2, whose -gradient is theta.
std::vector<double> direction(const std::vector<double>& theta, const BmamlConfig& config) {
  const auto rule = svgd_step(0.1, config);
  const Params at = numbers(theta);
  const Tensor loss = torch::zeros({1}, torch::kFloat64);
  const Params moved = 10.0 * (rule->update({{}, at, at, {}, loss, 0, 1}).phi - at);
  std::vector<double> out;
  for (int64_t m = 0; m < moved[0].size(1); ++m) out.push_back(moved[0][0][m][0].item<double>());
  return out;
}

struct Curves {
  EpisodeShape shape{.ways = 1, .shots = 4, .queries = 5};
  std::unique_ptr<Dataset> dataset = make_dataset({.name = "sine"});
  MethodContext context{.inner = {.steps = 1, .step_size = 0.01, .adapt = "*"},
                        .network =
                            [](int64_t outputs) {
                              return make_network(
                                  {.name = "mlp", .own = {{"hidden", "3"}, {"activation", "tanh"}}}, {1},
                                  outputs);
                            },
                        .outputs = 1,
                        .dataset = dataset.get(),
                        .shape = shape};

  EpisodeTask task(const Network& network) const {
    Episodes e = TaskSource(*dataset, shape, 3).tasks(0, 0, 2);
    for (auto* value : {&e.support_x, &e.query_x, &e.support_y, &e.query_y})
      *value = value->to(torch::kFloat64);
    return {network, e, shape, LossReduction::kMean, BatchNormMode::kNone};
  }
};

Params initial(const Method& method) {
  Stream stream(StreamKey{5, Purpose::kTest});
  return method.initial(stream).to(torch::kFloat64);
}

}  // namespace

// Theta = (0, 1): h = .5 / log 2 = .72134752, k = exp(-2 log 2) = .25, half repulsion -+ .34657359.
TEST_CASE("bmaml: SVGD steps are those worked out by hand", "[meta]") {
  const BmamlConfig code{.kernel_gradient = 1};
  const auto two = direction({0, 1}, code);
  CHECK(two[0] == Approx(-.2982868));
  CHECK(two[1] == Approx(-.3267132));
  const auto three = direction({0, 1, 3}, code);
  CHECK(three[0] == Approx(-.23328576));
  CHECK(three[1] == Approx(-.23265306));
  CHECK(three[2] == Approx(-.99501733));
  const auto exact = direction({0, 1}, {});
  CHECK(exact[0] == Approx(-.2982868 - .34657359 / 2));
  CHECK(exact[1] == Approx(-.3267132 + .34657359 / 2));
  CHECK(direction({2}, {})[0] == Approx(-2));        // alone: no kernel
  CHECK(direction({2, 2, 2}, {})[1] == Approx(-2));  // in one place: k = 1, nothing repels
}

// One sample, y = .5, f = .2, gamma = 2, lambda = 3, w = (1, -2): data (log 2 - 2 .09) / 2, prior (2 log 3 -
// 3 5) / 2, 2 log 2 - .2 2, 2 log 3 - 2 3.
TEST_CASE("bmaml: the posterior is the one worked out by hand", "[meta]") {
  const auto number = [](double value) { return torch::full({1, 1}, value, torch::kFloat64); };
  const Params own({{"w", torch::tensor({{1., -2.}}, torch::kFloat64)},
                    {"log_gamma", number(std::log(2.0))},
                    {"log_lambda", number(std::log(3.0))}});
  const Tensor y = number(.2).unsqueeze(2), target = number(.5).unsqueeze(2);
  const double expected = (std::log(2.0) - 2 * .09) / 2 + (2 * std::log(3.0) - 15) / 2 + 2 * std::log(2.0) -
                          .4 + 2 * std::log(3.0) - 6;
  CHECK(negative_log_posterior(y, target, own).item<double>() == Approx(-expected));
}

TEST_CASE("bmaml: the loss is the squared distance to the leader, scales left out", "[meta]") {
  const Curves curves;
  const auto method = bmaml().method({{"particles", 3}, {"leader_steps", 2}}, curves.context);
  const auto& inner = dynamic_cast<const GradientMethod&>(*method).inner();
  const auto task = curves.task(method->network(true));
  const Params meta = initial(*method);
  const auto found = method->pass(meta, task, {}, true);

  // The same by hand: rows of all particles, their posterior by autograd, two more steps on both sets.
  const auto on = [&](const Tensor& x, const Tensor& y) {
    return [&method, x, y](const Params& phi) {
      const Params rows = of_particles(phi);
      const auto thrice = [](const Tensor& t) { return t.repeat_interleave(3, 0); };
      const Tensor output = method->network(true).forward(rows, thrice(x));
      return negative_log_posterior(output, thrice(y), rows).view({2, 3}).sum(1);
    };
  };
  const auto& e = task.episodes();
  const auto rule = svgd_step(0.01, {.particles = 3});
  const auto step = [&](const Params& phi, const auto& loss) {
    const auto at = autograd_loss(loss, phi);
    return rule->update({{}, phi, at->gradient(), {}, at->loss(), 0, 1}).phi;
  };
  const Params chaser = step(meta.expanded(2), on(e.support_x, e.support_y));
  Params leader = chaser;
  const auto both = on(torch::cat({e.support_x, e.query_x}, 1), torch::cat({e.support_y, e.query_y}, 1));
  for (int s = 0; s < 2; ++s) leader = step(leader, both);
  const Params apart = (chaser - leader).without("log_");
  Tensor expected = torch::zeros({2}, torch::kFloat64);
  for (const auto& entry : apart) expected = expected + entry.value.flatten(1).square().sum(1);
  CHECK(torch::allclose(found.loss, expected, 1e-9));
  CHECK(expected.min().item<double>() > 1e-9);
  CHECK(meta.contains("log_gamma"));
  CHECK(largest(chaser.select({"log_gamma"}) - meta.expanded(2).select({"log_gamma"})) > 1e-6);
  CHECK(inner.config().steps == 1);
  CHECK(found.output.sizes() == std::vector<int64_t>{2, 5, 1});
}

// h is a constant to the gradient; of three particles it is the distance of the nearest two, so that moving
// the third leaves it as it is, and differences see what the gradient sees.
TEST_CASE("bmaml: an SVGD step is differentiated through kernel and Hessian", "[meta]") {
  const Curves curves;
  const auto method = bmaml().method({{"particles", 3}}, curves.context);
  const auto& inner = dynamic_cast<const GradientMethod&>(*method).inner();
  const auto task = curves.task(method->network(true));
  Params meta = initial(*method);
  meta = meta.map([](const Tensor& value) {
    const Tensor out = value.clone();
    if (out.dim() > 2) out.select(1, 1).copy_(out.select(1, 0)).add_(0.1);
    return out;
  });
  const ParticleTask seen(task, 3, [](const EpisodeTask& repeated, Part part) {
    return make_head(
        [target = repeated.output_loss(part)->target()](const Tensor& y, const Params& own) {
          return negative_log_posterior(y, target, own);
        },
        {"layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias", "log_gamma", "log_lambda"});
  });
  const Params c = normal_like(meta.expanded(2), 7);
  const auto third = [](const Params& all) {
    return all.map([](const Tensor& value) { return value.select(1, 2).unsqueeze(0).squeeze(0); });
  };
  const auto moved = [&](const Params& last) {
    std::vector<Tensor> values;
    for (size_t i = 0; i < meta.size(); ++i) {
      const Tensor out = meta[i].clone();
      out.select(1, 2).copy_(last[i]);
      values.push_back(out);
    }
    return meta.with(std::move(values));
  };
  const auto found = check_gradient(
      [&](const Params& last) { return inner_product(c, inner.adapt(moved(last), seen).adapted()); },
      [&](const Params& last) { return third(inner.adapt(moved(last), seen).pullback(c)); },
      third(meta).map([](const Tensor& value) { return value.clone(); }));
  INFO(found.text());
  CHECK(found.relative < 1e-7);
}

TEST_CASE("bmaml: classes are refused", "[meta]") {
  const auto strokes = make_dataset({.name = "strokes"});
  CHECK_THROWS_WITH(bmaml().method({}, {.dataset = strokes.get()}), contains("has classes"));
}
