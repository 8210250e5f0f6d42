#include "meta/algorithms/emaml_ensemble.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/gradient_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

struct Drawn {
  bool classes;
  EpisodeShape shape;
  std::unique_ptr<Dataset> dataset;
  MethodContext context;

  explicit Drawn(bool of_classes)
      : classes(of_classes),
        shape(classes ? EpisodeShape{.ways = 3, .shots = 2, .queries = 2}
                      : EpisodeShape{.ways = 1, .shots = 4, .queries = 5}),
        dataset(classes ? make_dataset({.name = "strokes", .own = {{"image_size", 14}}})
                        : make_dataset({.name = "sine"})) {
    context = {
        .inner = {.steps = 2, .step_size = 0.1},
        .network =
            [of_classes](int64_t outputs) {
              return of_classes
                         ? make_network({.name = "conv4", .batch_norm = "batch", .own = {{"filters", 2}}},
                                        {1, 14, 14}, outputs)
                         : make_network({.name = "mlp", .own = {{"hidden", "4"}, {"activation", "tanh"}}},
                                        {1}, outputs);
            },
        .outputs = classes ? 3 : 1,
        .dataset = dataset.get(),
        .shape = shape};
  }
  EpisodeTask task(const Network& network) const {
    Episodes e = TaskSource(*dataset, shape, 3).tasks(0, 0, 2);
    e.support_x = e.support_x.to(torch::kFloat64);
    e.query_x = e.query_x.to(torch::kFloat64);
    if (!classes) {
      e.support_y = e.support_y.to(torch::kFloat64);
      e.query_y = e.query_y.to(torch::kFloat64);
    }
    return {network, e, shape, LossReduction::kMean, classes ? BatchNormMode::kBatch : BatchNormMode::kNone};
  }
};

Params particle(const Params& all, int64_t m) {
  return all.map([m](const Tensor& value) { return value.select(1, m).clone(); });
}

}  // namespace

TEST_CASE("emaml_ensemble: every particle learns as MAML does alone, and predictions are averaged",
          "[meta]") {
  const Drawn tasks(GENERATE(false, true));
  const auto method = emaml_ensemble().method({{"particles", 3}}, tasks.context);
  const GradientMethod maml({}, tasks.context);
  const auto task = tasks.task(method->network(true));
  Stream stream(StreamKey{5, Purpose::kTest});
  const Params meta = method->initial(stream).to(torch::kFloat64);
  CHECK_FALSE(torch::equal(meta[0].select(1, 0), meta[0].select(1, 1)));
  const auto found = method->pass(meta, task, {}, true);
  Tensor loss = torch::zeros({2}, torch::kFloat64), output;
  for (int64_t m = 0; m < 3; ++m) {
    const auto alone = maml.pass(particle(meta, m), task, {}, true);
    CHECK(distance(particle(found.gradient, m), alone.gradient) < 1e-11);
    loss = loss + alone.loss;
    const Tensor said = tasks.classes ? torch::log_softmax(alone.output, 2).exp() : alone.output;
    output = output.defined() ? output + said / 3 : said / 3;
  }
  CHECK(torch::allclose(found.loss, loss));
  CHECK(torch::allclose(tasks.classes ? found.output.exp() : found.output, output));
  CHECK(largest(found.gradient) > 1e-4);
  const auto steps = method->predict(meta, task, 3, {.training = false});
  REQUIRE(steps.size() == 4);
  CHECK(torch::allclose(steps[2], found.output));
  CHECK_FALSE(torch::allclose(steps[0], steps[2]));
  CHECK(identical(method->initialisation(meta), particle(meta, 0)));
}

TEST_CASE("emaml_ensemble: particles become tasks and back, numbers and layers alike", "[meta]") {
  const Params like({{"w", torch::arange(12, torch::kFloat64).view({1, 2, 3, 2})},
                     {"s", torch::arange(2, torch::kFloat64).view({1, 2})}});
  const Params flat = of_particles(like.expanded(3));
  CHECK(flat.at("w").sizes() == std::vector<int64_t>{6, 3, 2});
  CHECK(flat.at("s").sizes() == std::vector<int64_t>{6, 1});
  CHECK(flat.at("s")[3].item<double>() == 1);
  CHECK(distance(to_particles(flat, like.expanded(3)), like.expanded(3)) == 0);
}
