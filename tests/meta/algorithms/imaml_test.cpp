#include "meta/algorithms/imaml.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/scalar_task.h"

using namespace innerloop;

namespace {

Params number(double value) { return Params({{"p", torch::full({1, 1}, value, torch::kFloat64)}}); }

double implicit(double phi, const ImamlConfig& config) {
  return implicit_gradient(ScalarTask(), number(phi), 1, config).gradient[0].item<double>();
}

// Where `steps` inner steps lead from theta = 3.
double adapted(int64_t steps, double step_size, const ImamlConfig& config, const Moment& now = {}) {
  const GradientMethod method({.rule = proximal_step(step_size, steps, config)},
                              scalar_context({.steps = steps, .step_size = step_size}));
  return method.inner().adapt(number(3), ScalarTask(), now).adapted()[0].item<double>();
}

struct Curves {
  EpisodeShape shape{.ways = 1, .shots = 4, .queries = 5};
  std::unique_ptr<Dataset> dataset = make_dataset({.name = "sine"});
  MethodContext context;

  explicit Curves(int64_t steps)
      : context{.inner = {.steps = steps, .step_size = 0.1},
                .network =
                    [](int64_t outputs) {
                      return make_network({.name = "mlp", .own = {{"hidden", "4,3"}, {"activation", "tanh"}}},
                                          {1}, outputs);
                    },
                .outputs = 1,
                .dataset = dataset.get(),
                .shape = shape} {}

  EpisodeTask task(const Network& network, int64_t tasks) const {
    Episodes e = TaskSource(*dataset, shape, 3).tasks(0, 0, tasks);
    for (auto* value : {&e.support_x, &e.query_x, &e.support_y, &e.query_y})
      *value = 0.2 * value->to(torch::kFloat64);
    return {network, e, shape, LossReduction::kMean, BatchNormMode::kNone};
  }
};

}  // namespace

// L_support = (phi - 1)^2, theta = 3, lambda = 2: phi* = 2, and L_query = phi^2 / 2 has (1 + 2/2)^-1 2 = 1.
TEST_CASE("imaml: minimum and implicit gradient are those worked out by hand", "[meta]") {
  CHECK(adapted(1, 0.25, {}) == Approx(2));
  CHECK(adapted(40, 0.1, {}) == Approx(2));
  CHECK(implicit(2, {}) == Approx(1));
  CHECK(implicit(2, {.cg_damping = 1, .lambda_damping = 10}) == Approx(.92307692));
  CHECK(implicit(2, {.cg_iterations = 0}) == Approx(2));
  CHECK(implicit(2, {.lambda = 6}) == Approx(1.5));
}

// Two steps of .1 on (phi - 1)^2 from 3: 2.6, 2.28; then 2.28 - .1 2 (2.28 - 3) = 2.424.
TEST_CASE("imaml: the official code's inner loop pulls back once, and not on held-out tasks", "[meta]") {
  const ImamlConfig code{.after_steps = true, .regularise_tests = false};
  CHECK(adapted(2, 0.1, code) == Approx(2.424));
  CHECK(adapted(2, 0.1, code, {.training = false}) == Approx(2.28));
  CHECK(adapted(40, 0.1, {}, {.training = false}) == Approx(2));
  CHECK(adapted(60, 0.1, {.regularise_tests = false}, {.training = false}) == Approx(1).epsilon(1e-4));
}

TEST_CASE("imaml: at the inner minimum the meta-gradient is that of finite differences", "[meta]") {
  const Curves curves(400);
  const auto method = imaml().method({{"cg_iterations", 40}}, curves.context);
  const auto task = curves.task(method->network(true), 2);
  Stream stream(StreamKey{3, Purpose::kTest});
  const Params meta = method->initial(stream).to(torch::kFloat64);
  const auto loss = [&](const Params& p) {
    return method->pass(p, task, {}, false).loss.sum().item<double>();
  };
  const auto with = [&](const Texts& own) {
    const auto other = imaml().method(own, curves.context);
    return check_gradient(
        loss, [&](const Params& p) { return other->pass(p, task, {}, false).gradient; }, meta);
  };
  const auto found = with({{"cg_iterations", 40}});
  INFO(found.text());
  CHECK(found.relative < 1e-4);  // the solver stops at |r| < 1e-5
  CHECK(with({{"cg_iterations", 0}}).relative > 1e-2);
  CHECK(with({{"cg_iterations", 1}}).relative > 1e-3);
  CHECK(with({{"cg_iterations", 40}, {"cg_damping", 1}, {"lambda_damping", 10}}).relative > 1e-2);
}

TEST_CASE("imaml: every task has an inverse of its own, however many are passed together", "[meta]") {
  const Curves curves(5);
  const auto method = imaml().method({{"cg_iterations", 3}}, curves.context);
  Stream stream(StreamKey{3, Purpose::kTest});
  const Params meta = method->initial(stream).to(torch::kFloat64);
  const auto three = curves.task(method->network(true), 3);
  Params sum;
  for (int64_t t = 0; t < 3; ++t) {
    Episodes e = three.episodes();
    for (auto* value : {&e.support_x, &e.query_x, &e.support_y, &e.query_y}) *value = value->narrow(0, t, 1);
    const Params alone = method->pass(meta, three.with(e), {}, false).gradient;
    sum = sum.empty() ? alone : sum + alone;
  }
  CHECK(distance(method->pass(meta, three, {}, false).gradient, sum) < 1e-12);
}

TEST_CASE("imaml: what the derivative does not cover is refused", "[meta]") {
  Curves curves(0);
  CHECK_THROWS_WITH(imaml().method({}, curves.context), contains("inner.steps: 0 found"));
  curves.context.inner = {.steps = 1, .step_size = 0.1, .adapt = "head"};
  CHECK_THROWS_WITH(imaml().method({}, curves.context), contains("inner.adapt: head found"));
}
