#include "meta/algorithms/unicorn_maml.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

const EpisodeShape kShape{.ways = 3, .shots = 1, .queries = 2};

struct Made {
  std::unique_ptr<Dataset> dataset = make_dataset({.name = "strokes", .own = {{"image_size", 14}}});
  std::unique_ptr<Method> method;

  explicit Made(const Texts& own, const std::string& adapt = "all") {
    const MethodContext context{.inner = {.steps = 4, .step_size = 0.3, .adapt = adapt},
                                .network =
                                    [](int64_t outputs) {
                                      return make_network(
                                          {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 4}}},
                                          {1, 14, 14}, outputs);
                                    },
                                .outputs = kShape.ways,
                                .dataset = dataset.get(),
                                .shape = kShape};
    method = unicorn_maml().method(own, context);
  }
  Params initial() const {
    Stream stream(StreamKey{5, Purpose::kTest});
    return method->initial(stream).to(torch::kFloat64);
  }
  EpisodeTask task() const {
    Episodes e = TaskSource(*dataset, kShape, 1).tasks(0, 0, 2);
    e.support_x = e.support_x.to(torch::kFloat64);
    e.query_x = e.query_x.to(torch::kFloat64);
    return {method->network(true), e, kShape, LossReduction::kMean, BatchNormMode::kBatch};
  }
};

}  // namespace

// Features f = (1, 2) of class 0 in the support set, alpha = 1, no bias adapts: rows move by +-(.5, 1), and a
// query of features (1, 0) has logits that differ by 1.
TEST_CASE("unicorn_maml: two classes from one row part as worked out by hand, whatever the row", "[meta]") {
  const EpisodeShape shape{.ways = 2, .shots = 1, .queries = 1};
  const auto dataset = make_dataset({.name = "strokes"});
  const MethodContext context{
      .inner = {.steps = 1, .step_size = 1, .adapt = "layer0.weight"},
      .network =
          [](int64_t outputs) {
            return make_network({.name = "mlp", .own = {{"hidden", "none"}}}, {2}, outputs);
          },
      .outputs = 2,
      .dataset = dataset.get(),
      .shape = shape};
  const auto method = unicorn_maml().method({}, context);
  // One support sample of class 0 alone: the episode is the caller's own.
  const Episodes e{.support_x = torch::tensor({{{1.0, 2.0}}}, torch::kFloat64),
                   .query_x = torch::tensor({{{1.0, 0.0}}}, torch::kFloat64),
                   .support_y = torch::zeros({1, 1}, torch::kInt64),
                   .query_y = torch::zeros({1, 1}, torch::kInt64)};
  const EpisodeTask task(method->network(true), e, shape, LossReduction::kMean, BatchNormMode::kNone);
  for (const double row : {0.0, 0.7, -3.0}) {
    Stream stream(StreamKey{1, Purpose::kTest});
    Params meta = method->initial(stream).to(torch::kFloat64).cloned();
    meta.at("layer0.weight").fill_(row);
    const auto outputs = method->predict(meta, task, 1, {.training = false});
    const auto p = torch::softmax(outputs[1], 2)[0][0];
    CHECK(torch::softmax(outputs[0], 2)[0][0][0].item<double>() == Approx(0.5));
    CHECK(p[0].item<double>() == Approx(.73105858));
  }
}

TEST_CASE("unicorn_maml: the shared row moves no prediction and has no gradient, zeros do the same",
          "[meta]") {
  const Made shared({}), zero({{"head", "zero"}});
  const auto task = shared.task();
  const Params meta = shared.initial();
  Params moved = meta.cloned();
  moved.at("linear.weight").add_(5);
  const auto a = shared.method->predict(meta, task, 4, {.training = false});
  const auto b = shared.method->predict(moved, task, 4, {.training = false});
  CHECK(torch::allclose(torch::softmax(a[4], 2), torch::softmax(b[4], 2), 0, 1e-12));
  CHECK(meta.at("linear.weight").size(1) == 1);
  const auto gradient = shared.method->pass(meta, task, {}, false).gradient;
  CHECK(largest(gradient.part("linear.")) < 1e-12);
  CHECK(largest(gradient.part("conv1.")) > 1e-4);

  const Params without = zero.initial();
  CHECK_FALSE(without.contains("linear.weight"));
  const auto zero_task = zero.task();
  const auto c = zero.method->predict(without, zero_task, 4, {.training = false});
  CHECK(torch::allclose(torch::softmax(a[4], 2), torch::softmax(c[4], 2), 0, 1e-12));
  CHECK(torch::allclose(torch::softmax(c[0], 2), torch::full_like(c[0], 1.0 / 3)));
}
