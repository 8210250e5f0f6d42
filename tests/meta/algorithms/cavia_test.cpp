#include "meta/algorithms/cavia.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/gradient_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

MethodContext sine_context(const Dataset& dataset, const std::string& hidden, bool first_order = false) {
  return {.inner = {.steps = 1, .step_size = 1, .first_order = first_order, .adapt = "context"},
          .network =
              [hidden](int64_t outputs) {
                return make_network({.name = "mlp", .own = {{"hidden", hidden}}}, {1}, outputs);
              },
          .outputs = 1,
          .dataset = &dataset,
          .shape = {.ways = 1, .shots = 1, .queries = 1}};
}

}  // namespace

// f = theta x + b + v c, squared error, x_s = 1, y_s = 2, x_q = 2, y_q = 3, theta = 1, v = .5, b = 0, alpha =
// 1: c = 1, L_q = .25; d theta = -1.5, d v = -2 (first order -2, -1).
TEST_CASE("cavia: one step of one context has the gradients worked out by hand", "[meta]") {
  const auto dataset = make_dataset({.name = "sine"});
  const Texts own{{"contexts", 1}};
  const auto number = [](double value) { return torch::full({1, 1, 1}, value, torch::kFloat64); };
  const Episodes e{
      .support_x = number(1), .query_x = number(2), .support_y = number(2), .query_y = number(3)};
  for (const bool first_order : {false, true}) {
    const auto method = cavia().method(own, sine_context(*dataset, "none", first_order));
    Stream stream(StreamKey{});
    Params meta = method->initial(stream).to(torch::kFloat64).cloned();
    meta.at("layer0.weight").fill_(1);
    meta.at("layer0.bias").fill_(0);
    meta.at("context.weight").fill_(0.5);
    const EpisodeTask task(method->network(true), e, {1, 1, 1}, LossReduction::kMean, BatchNormMode::kNone);
    const auto found = method->pass(meta, task, {}, true);
    CHECK(found.loss.item<double>() == Approx(0.25));
    CHECK(found.output.item<double>() == Approx(2.5));
    CHECK(found.gradient.at("layer0.weight").item<double>() == Approx(first_order ? -2.0 : -1.5));
    CHECK(found.gradient.at("context.weight").item<double>() == Approx(first_order ? -1.0 : -2.0));
  }
}

TEST_CASE("cavia: the context alone adapts, from zero", "[meta]") {
  const auto dataset = make_dataset({.name = "sine"});
  const MethodContext context{
      .inner = {.steps = 2, .step_size = 0.5, .adapt = "context"}, .initial = [](Stream& stream) {
        return make_network({.name = "mlp", .own = {{"hidden", "6,5"}}}, {1}, 1)->initial(stream);
      }};
  const auto method = cavia().policy_method({{"contexts", 3}}, context);
  Stream stream(StreamKey{});
  const Params meta = method->initial(stream);
  CHECK(meta.at("context.weight").sizes() == std::vector<int64_t>{1, 6, 3});
  CHECK_FALSE(meta.contains("context"));
  const auto start = method->inner().start(meta, 2);
  CHECK(start.adapted().at("context").sizes() == std::vector<int64_t>{2, 3});
  CHECK(largest(start.adapted().select({"context"})) == 0);
  const Params read = method->read(start.adapted(), Part::kQuery, 0, {});
  CHECK_FALSE(read.contains("context.weight"));
  CHECK(torch::equal(read.at("layer0.bias")[1], meta.at("layer0.bias")[0]));
}

TEST_CASE("cavia: its maps' own derivatives equal autograd's", "[meta]") {
  const auto dataset = make_dataset({.name = "sine"});
  const auto method = cavia().policy_method(
      {{"contexts", 3}},
      {.inner = {.adapt = "context"}, .initial = [](Stream& stream) {
         return make_network({.name = "mlp", .own = {{"hidden", "4"}}}, {2}, 1)->initial(stream);
       }});
  Stream stream(StreamKey{});
  const Params meta = method->initial(stream).to(torch::kFloat64);
  Params phi = method->inner().start(meta, 2).adapted();
  phi = phi + normal_like(phi, 1);
  const Params read = method->read(phi, Part::kSupport, 1, {}), d = normal_like(phi, 2),
               c = normal_like(read, 3);
  const double epsilon = 1e-6;
  const Params moved = (0.5 / epsilon) * (method->read(phi + epsilon * d, Part::kSupport, 1, {}) -
                                          method->read(phi - epsilon * d, Part::kSupport, 1, {}));
  CHECK(distance(method->read_tangent(phi, Part::kSupport, 1, {}, d), moved) < 1e-8);
  CHECK(inner_product(c, moved) ==
        Approx(inner_product(method->read_cotangent(phi, Part::kSupport, 1, {}, c), d)).epsilon(1e-7));
}

TEST_CASE("cavia: a network without a fully connected first layer is refused", "[meta]") {
  const auto dataset = make_dataset({.name = "strokes", .own = {{"image_size", 14}}});
  const MethodContext context{
      .inner = {.adapt = "context"},
      .network =
          [](int64_t outputs) {
            return make_network({.name = "conv4", .batch_norm = "batch"}, {1, 14, 14}, outputs);
          },
      .outputs = 3,
      .dataset = dataset.get()};
  CHECK_THROWS_WITH(cavia().method({}, context), contains("fully connected first layer"));
}
