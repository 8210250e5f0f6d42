#include "meta/algorithms/metal.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/gradient_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Two classes, two inputs, a network that is linear in them: L = 2 tensors, so a learned loss on a support
// sample has 2 + 1 + 4 inputs, on a query 2 + 2 + 1.
struct Plane {
  std::unique_ptr<Dataset> dataset = make_dataset({.name = "strokes"});
  EpisodeShape shape{.ways = 2, .shots = 1, .queries = 1};
  MethodContext context;

  explicit Plane(int64_t steps = 1)
      : context{.inner = {.steps = steps, .step_size = 0.5},
                .network =
                    [](int64_t outputs) {
                      return make_network({.name = "mlp", .own = {{"hidden", "none"}}}, {2}, outputs);
                    },
                .outputs = 2,
                .dataset = dataset.get(),
                .shape = shape} {}

  std::unique_ptr<Method> method(const Texts& own = {}) const { return metal().method(own, context); }

  EpisodeTask task(const Network& network, bool other_query = false) const {
    const Episodes e{
        .support_x = torch::tensor({{{1.0, 0.5}, {-0.3, 2.0}}}, torch::kFloat64),
        .query_x = torch::tensor({{{0.8, 0.1}, {other_query ? 1.0 : 0.0, 1.5}}}, torch::kFloat64),
        .support_y = torch::tensor({{0, 1}}, torch::kInt64),
        .query_y = torch::tensor({{0, 1}}, torch::kInt64)};
    return {network, e, shape, LossReduction::kMean, BatchNormMode::kNone};
  }

  Params initial(const Method& method, uint64_t seed = 3) const {
    Stream stream(StreamKey{seed, Purpose::kTest});
    return method.initial(stream).to(torch::kFloat64).cloned();
  }
};

void set(const Params& params, const std::string& name, double value) { params.at(name).fill_(value); }

// What the learned losses add to the plain one at phi.
double added(const Plane& plane, const Method& method, const Params& phi) {
  const auto& gradient_method = dynamic_cast<const GradientMethod&>(method);
  const auto task = plane.task(method.network(true));
  const auto view = gradient_method.view(task, {});
  return ((*view).loss_at(Part::kSupport, phi, 0)->loss() - task.loss(Part::kSupport, phi, 0)).item<double>();
}

// relu of the number at `index` of `x` after standardising.
double standard(const std::vector<double>& x, size_t index) {
  double mean = 0, square = 0;
  for (const double value : x) mean += value / static_cast<double>(x.size());
  for (const double value : x) square += (value - mean) * (value - mean);
  return std::max(0.0, (x[index] - mean) / std::sqrt(square / static_cast<double>(x.size() - 1)));
}

// l(x) = relu(x[index]).
void pick(const Params& meta, const std::string& branch, int64_t index) {
  const Tensor w1 = meta.at("loss." + branch + ".w1");
  w1.zero_().diagonal(0, 2, 3).fill_(1);
  meta.at("loss." + branch + ".w2").zero_().select(3, index).fill_(1);
}

}  // namespace

TEST_CASE("metal: a task's numbers are standardised by their unbiased deviation", "[meta]") {
  const Tensor x = torch::tensor({1., 2., 3., 10., 20., 30.}, torch::kFloat64).view({2, 3});
  CHECK(torch::allclose(standardised(x),
                        torch::tensor({-1., 0., 1., -1., 0., 1.}, torch::kFloat64).view({2, 3})));
  CHECK(standardised(torch::full({1, 3}, 4.0, torch::kFloat64)).abs().max().item<double>() == 0);
}

// All weights are 0, so all logits are: t = (log 2, 0, 0), x_i = (log 2, 0, 0, 0, 0, one-hot),
// x'_j = (0, 0, 0, 0, -log 2).
TEST_CASE("metal: the learned losses see what is worked out by hand", "[meta]") {
  const Plane plane;
  const auto method = plane.method();
  const Params meta = plane.initial(*method);
  CHECK(meta.at("loss.support.w1").sizes() == std::vector<int64_t>{1, 1, 7, 7});
  CHECK(meta.at("loss.query.w1").sizes() == std::vector<int64_t>{1, 1, 5, 5});
  CHECK(meta.at("adapter.support.w1").sizes() == std::vector<int64_t>{1, 1, 3, 3});
  set(meta, "layer0.weight", 0);
  set(meta, "layer0.bias", 0);
  const double l = std::log(2.0);
  // Both samples in one matrix: 14 numbers, two of them log 2, two of them 1.
  const std::vector<double> support{l, 0, 0, 0, 0, 1, 0, l, 0, 0, 0, 0, 0, 1};
  const std::vector<double> query{0, 0, 0, 0, -l, 0, 0, 0, 0, -l};
  pick(meta, "support", 0);
  set(meta, "loss.query.w2", 0);
  CHECK(added(plane, *method, meta) == Approx(standard(support, 0)));
  pick(meta, "support", 5);  // the label is class 0 of the first sample alone
  CHECK(added(plane, *method, meta) == Approx(standard(support, 5) / 2));
  set(meta, "loss.support.w2", 0);
  pick(meta, "query", 0);
  CHECK(added(plane, *method, meta) == Approx(standard(query, 0)));
  pick(meta, "query", 4);  // minus the entropy, below the mean
  CHECK(added(plane, *method, meta) == 0);
}

// W1 = 0, b1 = 1, w2 = 1, b2 = 0: l = its number of inputs. m = (0, 0, 2, 0), o = (0, 0, 0, 3), and an
// adapter that says g = .1, d = .5 whatever it sees: (1 + .2) inputs + 1.5.
TEST_CASE("metal: an adapter scales and shifts its loss as worked out by hand", "[meta]") {
  const Plane plane;
  const auto method = plane.method();
  const Params meta = plane.initial(*method);
  for (const std::string branch : {"support", "query"}) {
    set(meta, "loss." + branch + ".w1", 0);
    set(meta, "loss." + branch + ".b1", 1);
    set(meta, "loss." + branch + ".w2", 1);
  }
  CHECK(added(plane, *method, meta) == Approx(7 + 5));
  set(meta, "adapter.query.w2", 0);
  meta.at("adapter.query.b2")[0][0][2] = 0.1;
  meta.at("adapter.query.b2")[0][0][7] = 0.5;
  CHECK(added(plane, *method, meta) == Approx(7 + 5));  // m = o = 0: it does not matter what it says
  meta.at("adapter.query.scale")[0][0][2] = 2;
  meta.at("adapter.query.shift")[0][0][3] = 3;
  CHECK(added(plane, *method, meta) == Approx(7 + 1.2 * 5 + 1.5));
}

TEST_CASE("metal: at first the adapters have no gradient and their factors have", "[meta]") {
  const Plane plane;
  const auto method = plane.method();
  const Params gradient =
      method->pass(plane.initial(*method), plane.task(method->network(true)), {}, false).gradient;
  for (const std::string branch : {"support", "query"}) {
    for (const std::string part : {"w1", "b1", "w2", "b2"}) {
      CHECK(gradient.at("adapter." + branch + "." + part).abs().max().item<double>() == 0);
    }
    CHECK(gradient.at("adapter." + branch + ".scale").abs().max().item<double>() > 1e-9);
    CHECK(gradient.at("loss." + branch + ".w2").abs().max().item<double>() > 1e-9);
  }
}

TEST_CASE("metal: with learned losses of zero it is MAML, without batch statistics", "[meta]") {
  const Plane plane(2);
  const auto method = plane.method();
  const GradientMethod plain({}, plane.context);
  const Params meta = plane.initial(*method);
  const auto task = plane.task(method->network(true));
  const Params theta = meta.without("loss.").without("adapter.");
  const Params with = method->pass(meta, task, {}, false).gradient.without("loss.").without("adapter.");
  const auto expected = plain.pass(theta, task, {}, true);
  CHECK(distance(with, expected.gradient) > 1e-3);
  set(meta, "loss.support.w2", 0);
  set(meta, "loss.query.w2", 0);
  const auto found = method->pass(meta, task, {}, true);
  CHECK(distance(found.gradient.without("loss.").without("adapter."), expected.gradient) < 1e-12);
  CHECK(torch::allclose(found.output, expected.output));
  const auto both = plane.method({{"outer_loss", "support_and_query"}})->pass(meta, task, {}, false);
  const Params phi = plain.inner().adapt(theta, task).adapted();
  CHECK(both.loss.item<double>() == Approx(task.loss(Part::kBoth, phi, 2).item<double>()));
}

TEST_CASE("metal: unlabelled queries steer the inner loop with the query branch alone", "[meta]") {
  const Plane plane;
  for (const bool branch : {true, false}) {
    const auto method = plane.method({{"query_branch", branch}});
    const Params meta = plane.initial(*method);
    CHECK(meta.contains("loss.query.w1") == branch);
    const auto first = [&](bool other) {
      return method->predict(meta, plane.task(method->network(false), other), 1,
                             {.training = false})[1][0][0];
    };
    CHECK(torch::allclose(first(false), first(true)) == !branch);
  }
}

TEST_CASE("metal: every step has losses of its own, and more steps than trained take the last", "[meta]") {
  const Plane plane(2);
  const auto method = plane.method();
  const Params meta = plane.initial(*method), changed = meta.cloned();
  changed.at("loss.support.w2").select(1, 1).add_(1);
  const auto task = plane.task(method->network(false));
  const auto a = method->predict(meta, task, 4, {.training = false});
  const auto b = method->predict(changed, task, 4, {.training = false});
  CHECK(torch::equal(a[1], b[1]));
  CHECK_FALSE(torch::allclose(a[2], b[2]));
  CHECK_FALSE(torch::allclose(a[4] - a[3], b[4] - b[3]));
}

TEST_CASE("metal: every form has an exact meta-gradient, through convolutions with common statistics",
          "[meta]") {
  const Texts own = GENERATE(Texts{{"query_branch", false}}, Texts{{"outer_loss", "support_and_query"}});
  const EpisodeShape shape{.ways = 3, .shots = 2, .queries = 2};
  const auto dataset = make_dataset({.name = "strokes", .own = {{"image_size", 14}}});
  const MethodContext context{.inner = {.steps = 2, .step_size = 0.1, .adapt = "conv*.weight,linear.*"},
                              .network =
                                  [](int64_t outputs) {
                                    return make_network(
                                        {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 2}}},
                                        {1, 9, 9}, outputs);
                                  },
                              .outputs = 3,
                              .dataset = dataset.get(),
                              .shape = shape};
  const auto method = metal().method(own, context);
  const Params like({{"support", torch::zeros({1, 6, 1, 9, 9}, torch::kFloat64)},
                     {"query", torch::zeros({1, 6, 1, 9, 9}, torch::kFloat64)}});
  const Params x = normal_like(like, 7);
  const Tensor labels = torch::tensor({{0, 0, 1, 1, 2, 2}}, torch::kInt64);
  const EpisodeTask task(method->network(true),
                         {.support_x = x[0], .query_x = x[1], .support_y = labels, .query_y = labels}, shape,
                         LossReduction::kMean, BatchNormMode::kBatch);
  Stream stream(StreamKey{3, Purpose::kTest});
  Params meta = method->initial(stream).to(torch::kFloat64);
  meta = meta + 0.05 * normal_like(meta, 4);
  const Params gradient = method->pass(meta, task, {}, false).gradient, d = normal_like(meta, 5);
  const auto at = [&](const Params& p) { return method->pass(p, task, {}, false).loss.sum().item<double>(); };
  for (const auto& entry : meta) {  // all numbers of an entry at once: they are many
    INFO(entry.name);
    const auto along = [&](double shift) {
      const Params moved = meta.cloned();
      moved.at(entry.name).add_(shift * d.at(entry.name));
      return at(moved);
    };
    const double e = 1e-7,
                 difference = (8 * (along(e) - along(-e)) - (along(2 * e) - along(-2 * e))) / (12 * e);
    const double found = (gradient.at(entry.name) * d.at(entry.name)).sum().item<double>();
    CHECK(std::abs(found - difference) < 1e-6 * std::max(1.0, largest(gradient)));
    if (entry.name.find("adapter.") == 0) CHECK(found != 0);
  }
}

TEST_CASE("metal: a data set without classes is refused", "[meta]") {
  const auto sine = make_dataset({.name = "sine"});
  CHECK_THROWS_WITH(metal().method({}, {.dataset = sine.get()}), contains("needs classes"));
}
