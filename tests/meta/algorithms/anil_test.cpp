#include "meta/algorithms/anil.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/gradient_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// f = a x, prediction w f: L_support = (w a)^2 / 2 at x = 1, y = 0, and L_query the same.
class Product : public Task {
 public:
  int64_t size() const override { return 1; }
  Tensor loss(Part, const Params& p, int64_t) const override {
    return (p.at("a") * p.at("w")).view({1}).square() / 2;
  }
};

Params product_gradient(bool first_order, double* loss = nullptr) {
  const Params ones(
      {{"a", torch::ones({1, 1}, torch::kFloat64)}, {"w", torch::ones({1, 1}, torch::kFloat64)}});
  const auto method = anil().policy_method(
      {}, {.inner = {.steps = 1, .step_size = 0.1, .first_order = first_order, .adapt = "head"},
           .initial = [&](Stream&) { return ones; },
           .head = {"w"}});
  const Product task;
  const auto adaptation = method->inner().adapt(ones, task);
  CHECK(adaptation.adapted().at("w").item<double>() == Approx(0.9));
  CHECK(adaptation.adapted().at("a").item<double>() == 1);
  const auto at = method->objective().at(adaptation, task, {});
  if (loss != nullptr) *loss = at.loss.item<double>();
  return meta_gradient(at, adaptation);
}

// One method for small tasks of drawn characters or of curves, in float64.
struct Small {
  EpisodeShape shape;
  std::unique_ptr<Dataset> dataset;
  MethodContext context;

  explicit Small(bool images, const InnerLoopConfig& inner)
      : shape(images ? EpisodeShape{.ways = 3, .shots = 2, .queries = 2}
                     : EpisodeShape{.ways = 1, .shots = 4, .queries = 5}),
        dataset(images ? make_dataset({.name = "strokes", .own = {{"image_size", 14}}})
                       : make_dataset({.name = "sine"})) {
    context = {
        .inner = inner,
        .network =
            [images](int64_t outputs) {
              return images
                         ? make_network({.name = "conv4", .batch_norm = "batch", .own = {{"filters", 3}}},
                                        {1, 14, 14}, outputs)
                         : make_network({.name = "mlp", .own = {{"hidden", "6,5"}, {"activation", "tanh"}}},
                                        {1}, outputs);
            },
        .outputs = images ? 3 : 1,
        .dataset = dataset.get(),
        .shape = shape};
  }
  EpisodeTask task(const Network& network, BatchNormMode mode, int64_t tasks) const {
    Episodes e = TaskSource(*dataset, shape, 3).tasks(0, 0, tasks);
    e.support_x = e.support_x.to(torch::kFloat64);
    e.query_x = e.query_x.to(torch::kFloat64);
    if (!dataset->spec().classification) {
      e.support_y = e.support_y.to(torch::kFloat64);
      e.query_y = e.query_y.to(torch::kFloat64);
    }
    return {network, e, shape, LossReduction::kMean, mode};
  }
};

// Features are the two inputs themselves.
struct Plane {
  std::unique_ptr<Dataset> dataset = make_dataset({.name = "strokes"});
  MethodContext context{.inner = {.steps = 1, .step_size = 0.1},
                        .network =
                            [](int64_t outputs) {
                              return make_network({.name = "mlp", .own = {{"hidden", "2"}}}, {2}, outputs);
                            },
                        .outputs = 2,
                        .dataset = dataset.get(),
                        .shape = {.ways = 2, .shots = 2, .queries = 1}};
  Tensor scores(const std::string& test) const {
    const auto method = anil().method({{"test", test}}, context);
    Stream stream(StreamKey{});
    const Params meta = method->initial(stream).to(torch::kFloat64).cloned();
    meta.at("layer0.weight").copy_(torch::eye(2, torch::kFloat64).unsqueeze(0));
    const Episodes e{.support_x = torch::tensor({{{1.0, 0.0}, {0.0, 1.0}, {0.6, 0.8}}}, torch::kFloat64),
                     .query_x = torch::tensor({{{0.8, 0.6}, {2.0, 0.0}}}, torch::kFloat64),
                     .support_y = torch::tensor({{0, 1, 1}}, torch::kInt64),
                     .query_y = torch::tensor({{1, 0}}, torch::kInt64)};
    const EpisodeTask task(method->network(false), e, context.shape, LossReduction::kMean,
                           BatchNormMode::kNone);
    const auto outputs = method->predict(meta, task, 3, {.training = false});
    CHECK(outputs.size() == (test == "head" ? 4 : 1));
    return outputs[0][0];
  }
};

}  // namespace

TEST_CASE("anil: the body's gradient goes through the adapted head, as worked out by hand", "[meta]") {
  double loss = 0;
  const Params exact = product_gradient(false, &loss);
  CHECK(loss == Approx(0.405));
  CHECK(exact.at("w").item<double>() == Approx(0.81));
  CHECK(exact.at("a").item<double>() == Approx(0.63));
  const Params first = product_gradient(true);
  CHECK(first.at("a").item<double>() == Approx(0.81));
  CHECK(first.at("w").item<double>() == Approx(0.9));
}

// y = w a x + b with squared error; x = 1, y = 0 on both sides, a = w = 1, b = 0, alpha = .05: w' = .9,
// b' = -.1, r = .8, L = .64; dL/dw = 1.6 (.9 - .1), dL/db the same, dL/da = 1.6 (.9 - .2 - .1).
TEST_CASE("anil: an episode's gradient is the one worked out by hand, in every entry", "[meta]") {
  const auto dataset = make_dataset({.name = "sine"});
  const auto number = [](double value) { return torch::full({1, 1, 1}, value, torch::kFloat64); };
  const Episodes e{
      .support_x = number(1), .query_x = number(1), .support_y = number(0), .query_y = number(0)};
  for (const bool first_order : {false, true}) {
    const auto method =
        anil().method({}, {.inner = {.steps = 1, .step_size = 0.05, .first_order = first_order},
                           .network =
                               [](int64_t outputs) {
                                 return make_network({.name = "mlp", .own = {{"hidden", "1"}}}, {1}, outputs);
                               },
                           .outputs = 1,
                           .dataset = dataset.get(),
                           .shape = {1, 1, 1}});
    Stream stream(StreamKey{});
    const Params meta = method->initial(stream).to(torch::kFloat64).cloned();
    meta.at("layer0.weight").fill_(1);
    meta.at("layer1.weight").fill_(1);
    const EpisodeTask task(method->network(true), e, {1, 1, 1}, LossReduction::kMean, BatchNormMode::kNone);
    const auto found = method->pass(meta, task, {}, true);
    CHECK(found.loss.item<double>() == Approx(0.64));
    CHECK(found.output.item<double>() == Approx(0.8));
    CHECK(found.gradient.at("layer1.weight").item<double>() == Approx(first_order ? 1.6 : 1.28));
    CHECK(found.gradient.at("layer1.bias").item<double>() == Approx(first_order ? 1.6 : 1.28));
    CHECK(found.gradient.at("layer0.weight").item<double>() == Approx(first_order ? 1.44 : 0.96));
  }
}

TEST_CASE("anil: features computed once give what MAML on the head gives, for every mode and order",
          "[meta]") {
  const bool images = GENERATE(true, false), first_order = GENERATE(true, false),
             checkpointing = GENERATE(true, false);
  const auto mode = GENERATE(BatchNormMode::kBatch, BatchNormMode::kPerTaskRunning);
  if (!images && mode == BatchNormMode::kPerTaskRunning) return;
  const Small small(images, {.steps = 3,
                             .step_size = 0.3,
                             .first_order = first_order,
                             .adapt = "head",
                             .checkpointing = checkpointing});
  const auto fast = anil().method({}, small.context);
  const GradientMethod whole({}, small.context);
  const auto task = small.task(fast->network(true), images ? mode : BatchNormMode::kNone, 2);
  Stream stream(StreamKey{5, Purpose::kTest});
  const Params meta = fast->initial(stream).to(torch::kFloat64);
  const auto found = fast->pass(meta, task, {}, true), expected = whole.pass(meta, task, {}, true);
  CHECK(torch::allclose(found.loss, expected.loss, 1e-12));
  CHECK(torch::allclose(found.output, expected.output, 1e-10, 1e-12));
  CHECK(distance(found.gradient, expected.gradient) < 1e-11 * std::max(1.0, largest(expected.gradient)));
  CHECK(largest(expected.gradient) > 1e-4);
  const auto a = fast->predict(meta, task, 4, {.training = false}),
             b = whole.predict(meta, task, 4, {.training = false});
  REQUIRE(a.size() == 5);
  for (size_t k = 0; k < a.size(); ++k) CHECK(torch::allclose(a[k], b[k], 1e-10, 1e-12));
  CHECK_FALSE(torch::allclose(a[0], a[4]));
}

// Cosines of (.8, .6) with the three supports: .8, .6, .96; of (2, 0): 1, 0, .6.
TEST_CASE("anil: without a head a query goes to the class of the most similar supports", "[meta]") {
  const Plane plane;
  const Tensor nil = plane.scores("nil");
  CHECK(nil[0][0].item<double>() == Approx(0.8));
  CHECK(nil[0][1].item<double>() == Approx(1.56));
  CHECK(nil[1][0].item<double>() == Approx(1));
  CHECK(nil[1][1].item<double>() == Approx(0.6));
  const Tensor softmax = plane.scores("nil_softmax");
  const double sum = std::exp(.8) + std::exp(.6) + std::exp(.96);
  CHECK(softmax[0][0].item<double>() == Approx(std::exp(.8) / sum));
  CHECK(softmax[0][1].item<double>() == Approx((std::exp(.6) + std::exp(.96)) / sum));
  CHECK_FALSE(torch::allclose(plane.scores("head"), nil));
}

TEST_CASE("anil: what it cannot do is refused, naming the key", "[meta]") {
  Small curves(false, {.steps = 1, .step_size = 0.1});
  CHECK_THROWS_WITH(anil().method({{"test", "nil"}}, curves.context), contains("anil.test: nil found"));
  curves.context.inner.steps = 0;
  CHECK_THROWS_WITH(anil().method({}, curves.context), contains("inner.steps: 0 found"));
  CHECK_THROWS_WITH(anil().policy_method({{"test", "nil"}}, {.inner = {.steps = 1}}),
                    contains("expected head"));
}
