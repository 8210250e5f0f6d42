#include "meta/episode_task.h"

#include "base/error.h"
#include "meta/meta_objective.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/meta_gradient.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor normal(const std::vector<int64_t>& sizes, uint64_t seed) {
  Stream stream(StreamKey{seed, Purpose::kTest});
  Tensor out = torch::empty(sizes, torch::kFloat64);
  for (int64_t i = 0; i < out.numel(); ++i) out.view(-1)[i] = stream.normal();
  return out;
}

// Class after class, labels 0..ways-1.
Tensor labels(int64_t tasks, int64_t ways, int64_t each) {
  return torch::arange(ways, torch::kInt64).repeat_interleave(each).unsqueeze(0).repeat({tasks, 1});
}

Episodes random_images(const EpisodeShape& shape, int64_t tasks, int64_t size) {
  return {.support_x = normal({tasks, shape.ways * shape.shots, 1, size, size}, 1),
          .query_x = normal({tasks, shape.ways * shape.queries, 1, size, size}, 2),
          .support_y = labels(tasks, shape.ways, shape.shots),
          .query_y = labels(tasks, shape.ways, shape.queries)};
}

struct Case {
  std::unique_ptr<Network> network;
  Params theta;
  EpisodeShape shape;
  std::unique_ptr<EpisodeTask> task;
};

Case conv_case(BatchNormMode mode, int64_t tasks, LossReduction reduction = LossReduction::kMean) {
  Case c;
  c.shape = {.ways = 3, .shots = 2, .queries = 2};
  c.network = make_network({.name = "conv4", .batch_norm = "batch", .own = {{"filters", 2}}}, {1, 9, 9},
                           c.shape.ways);
  Stream stream(StreamKey{5, Purpose::kInitialParameters});
  c.theta = c.network->initial(stream).to(torch::kFloat64);
  c.task =
      std::make_unique<EpisodeTask>(*c.network, random_images(c.shape, tasks, 9), c.shape, reduction, mode);
  return c;
}

Case sine_case(int64_t tasks) {
  Case c;
  c.shape = {.ways = 1, .shots = 4, .queries = 5};
  c.network = make_network({.name = "mlp", .own = {{"hidden", "6,5"}, {"activation", "tanh"}}}, {1}, 1);
  Stream stream(StreamKey{5, Purpose::kInitialParameters});
  c.theta = c.network->initial(stream).to(torch::kFloat64);
  Episodes episodes{.support_x = normal({tasks, 4, 1}, 1),
                    .query_x = normal({tasks, 5, 1}, 2),
                    .support_y = normal({tasks, 4, 1}, 3),
                    .query_y = normal({tasks, 5, 1}, 4)};
  c.task = std::make_unique<EpisodeTask>(*c.network, episodes, c.shape, LossReduction::kMean,
                                         BatchNormMode::kNone);
  return c;
}

// The mean of what meta_gradient differentiates, by adapting alone.
double adapted_query_loss(const InnerLoop& inner, const Params& meta, const EpisodeTask& task) {
  const auto adaptation = inner.adapt(meta, task);
  return task.loss(Part::kQuery, adaptation.adapted(), inner.config().steps).sum().item<double>();
}

}  // namespace

TEST_CASE("the meta-gradient of an episode is that of finite differences, for every network and mode",
          "[meta]") {
  const int64_t steps = GENERATE(1, 3);
  const bool checkpointing = GENERATE(false, true);
  const auto check = [&](const Case& c, const std::string& adapt) {
    const InnerLoop inner({.steps = steps, .step_size = 0.1, .adapt = adapt, .checkpointing = checkpointing},
                          c.theta);
    const auto exact = meta_gradient(inner, LastStepObjective(), c.theta, *c.task);
    const auto numeric = finite_difference(
        [&](const Params& meta) { return adapted_query_loss(inner, meta, *c.task); }, c.theta, 1e-5);
    CHECK(distance(exact.gradient, numeric) < 1e-6 * std::max(1.0, largest(numeric)));
    const InnerLoop first({.steps = steps, .step_size = 0.1, .first_order = true, .adapt = adapt}, c.theta);
    CHECK(distance(meta_gradient(first, LastStepObjective(), c.theta, *c.task).gradient, numeric) >
          1e-3 * largest(numeric));  // the second-order term is really there
  };
  SECTION("multi-layer perceptron") { check(sine_case(3), "all"); }
  SECTION("convolutions, batch statistics") { check(conv_case(BatchNormMode::kBatch, 2), "all"); }
  SECTION("convolutions, normalisation not adapted") {
    check(conv_case(BatchNormMode::kBatch, 1), "conv*,linear*");
  }
  SECTION("convolutions, statistics of the task's support set") {
    check(conv_case(BatchNormMode::kPerTaskRunning, 1), "all");
  }
  SECTION("convolutions, scale of the sum over ways") {
    check(conv_case(BatchNormMode::kBatch, 1, LossReduction::kSumOverWays), "all");
  }
}

// y = w x + b: with u = (x, 1), the support loss is mean((u^T theta - y)^2), its Hessian 2 A, A = mean(u
// u^T).
TEST_CASE("the meta-gradient of linear regression is the one worked out by hand", "[meta]") {
  const EpisodeShape shape{.ways = 1, .shots = 4, .queries = 3};
  const auto network = make_network({.name = "mlp", .own = {{"hidden", "none"}}}, {1}, 1);
  const Params theta({{"layer0.weight", torch::tensor({{{0.7}}}, torch::kFloat64)},
                      {"layer0.bias", torch::tensor({{-0.3}}, torch::kFloat64)}});
  const Episodes e{.support_x = normal({1, 4, 1}, 1),
                   .query_x = normal({1, 3, 1}, 2),
                   .support_y = normal({1, 4, 1}, 3),
                   .query_y = normal({1, 3, 1}, 4)};
  const EpisodeTask task(*network, e, shape, LossReduction::kMean, BatchNormMode::kNone);
  const double alpha = 0.2;
  const InnerLoop inner({.steps = 1, .step_size = alpha}, theta);
  const auto found = meta_gradient(inner, LastStepObjective(), theta, task);

  const auto design = [](const Tensor& x) { return torch::cat({x[0], torch::ones_like(x[0])}, 1); };
  const auto moments = [&](const Tensor& x, const Tensor& y) {
    const Tensor u = design(x);
    const auto n = static_cast<double>(u.size(0));
    return std::pair{u.t().mm(u) / n, u.t().mm(y[0]) / n};
  };
  const Tensor start = torch::tensor({{0.7}, {-0.3}}, torch::kFloat64);
  const auto [a, b] = moments(e.support_x, e.support_y);
  const auto [aq, bq] = moments(e.query_x, e.query_y);
  const Tensor phi = start - alpha * 2 * (a.mm(start) - b);
  const Tensor outer = 2 * (aq.mm(phi) - bq);
  const Tensor expected = outer - alpha * 2 * a.mm(outer);
  CHECK(torch::allclose(flatten(found.gradient), expected.view(-1), 1e-10, 1e-12));
}

TEST_CASE("the sum over ways is ways times the mean", "[meta]") {
  const auto mean = conv_case(BatchNormMode::kBatch, 2);
  const auto sum = conv_case(BatchNormMode::kBatch, 2, LossReduction::kSumOverWays);
  const Params theta = mean.theta.expanded(2);
  CHECK(torch::allclose(sum.task->loss(Part::kSupport, theta, 0),
                        3 * mean.task->loss(Part::kSupport, theta, 0)));
  CHECK(torch::allclose(sum.task->loss(Part::kQuery, theta, 0), 3 * mean.task->loss(Part::kQuery, theta, 0)));
}

TEST_CASE("a prediction depends on the other queries under batch statistics only", "[meta]") {
  const auto output_of_first = [](BatchNormMode mode, bool change_others) {
    auto c = conv_case(mode, 1);
    Episodes e = c.task->episodes();
    if (change_others) e.query_x = torch::cat({e.query_x.narrow(1, 0, 1), 2 * e.query_x.narrow(1, 1, 5)}, 1);
    const EpisodeTask task(*c.network, e, c.shape, LossReduction::kMean, mode);
    return task.query_output(c.theta)[0][0].clone();
  };
  CHECK(torch::equal(output_of_first(BatchNormMode::kPerTaskRunning, false),
                     output_of_first(BatchNormMode::kPerTaskRunning, true)));
  CHECK_FALSE(torch::allclose(output_of_first(BatchNormMode::kBatch, false),
                              output_of_first(BatchNormMode::kBatch, true)));
}

TEST_CASE("the metric of an episode is accuracy, or the mean squared error", "[meta]") {
  const auto c = conv_case(BatchNormMode::kBatch, 2);
  const Params theta = c.theta.expanded(2);
  const Tensor output = c.network->forward(theta, c.task->episodes().query_x);
  const Tensor metric = c.task->metric(c.task->query_output(theta));
  for (int64_t t = 0; t < 2; ++t) {
    int64_t right = 0;
    for (int64_t n = 0; n < 6; ++n) {
      right += output[t][n].argmax().item<int64_t>() == c.task->episodes().query_y[t][n].item<int64_t>();
    }
    CHECK(metric[t].item<double>() == Approx(static_cast<double>(right) / 6));
  }
  const auto s = sine_case(2);
  const Params phi = s.theta.expanded(2);
  CHECK(torch::allclose(s.task->metric(s.task->query_output(phi)), s.task->loss(Part::kQuery, phi, 0)));
}

TEST_CASE("a reduction or mode that is unknown or without meaning is refused", "[meta]") {
  CHECK_THROWS_WITH(parse_loss_reduction("sum"),
                    contains("sum") && contains("sum_over_ways") && contains("mean"));
  CHECK_THROWS_WITH(parse_batch_norm_mode("running"), contains("per_task_running"));
  const auto c = sine_case(1);
  CHECK_THROWS_WITH(
      EpisodeTask(*c.network, c.task->episodes(), c.shape, LossReduction::kSumOverWays, BatchNormMode::kNone),
      contains("sum_over_ways needs classes"));
}

TEST_CASE("a task's network at one point is normalised as the mode says, and so is a head on it", "[meta]") {
  const auto mode = GENERATE(BatchNormMode::kBatch, BatchNormMode::kPerTaskRunning);
  const Case c = conv_case(mode, 2);
  const auto features =
      make_network({.name = "conv4", .batch_norm = "batch", .own = {{"filters", 2}}}, {1, 9, 9},
                   /*outputs=*/0);
  const Params theta = c.theta.expanded(2);
  for (const auto part : {Part::kSupport, Part::kQuery, Part::kBoth}) {
    const auto here = c.task->at(part, theta, *c.network);
    CHECK(torch::allclose((*c.task->output_loss(part))(here->output()), c.task->loss(part, theta, 0)));
    const auto whole = c.task->loss_at(part, theta, 0);
    const auto head = c.task->loss_at(part, theta, c.task->output_loss(part));
    CHECK(distance(head->gradient(), whole->gradient()) < 1e-12);
    const Params direction = normal_like(c.theta, 3).expanded(2);
    CHECK(distance(head->hessian_product(direction), whole->hessian_product(direction)) < 1e-11);

    // The features under the last layer give the output.
    const auto below = c.task->at(part, theta, *features);
    const Tensor y = below->output().matmul(theta.at("linear.weight").transpose(1, 2)) +
                     theta.at("linear.bias").unsqueeze(1);
    CHECK(torch::allclose(y, here->output()));
  }
  const Tensor batch =
      conv_case(BatchNormMode::kBatch, 2).task->at(Part::kQuery, theta, *c.network)->output();
  const Tensor found = c.task->at(Part::kQuery, theta, *c.network)->output();
  CHECK(torch::allclose(batch, found) == (mode == BatchNormMode::kBatch));
}
