#include "meta/supervised/adapted_network.h"

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

SupervisedMetaConfig small_strokes(const std::string& batch_norm) {
  SupervisedMetaConfig config;
  config.dataset = {.name = "strokes", .own = {{"image_size", 14}}};
  config.shape = {.ways = 3, .shots = 1, .queries = 2};
  config.inner = {.steps = 2, .step_size = 0.1};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 2;
  config.network = {.name = "conv4", .batch_norm = batch_norm, .own = {{"filters", 4}}};
  return config;
}

// 1, 2 and 4 support pictures of three classes, and five queries.
Episodes uneven_episode(const SupervisedMetaLearner& learner) {
  const auto drawn = learner.evaluation_episode({.ways = 3, .shots = 4, .queries = 2}, 0);
  const Tensor kept = torch::tensor(std::vector<int64_t>{0, 4, 5, 8, 9, 10, 11}, torch::kInt64);
  return {.support_x = drawn.support_x.index_select(1, kept),
          .query_x = drawn.query_x.narrow(1, 0, 5),
          .support_y = drawn.support_y.index_select(1, kept),
          .query_y = drawn.query_y.narrow(1, 0, 5)};
}

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("uneven shots: every support picture weighs alike, and sum_over_ways is `ways` times the mean",
          "[meta]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  auto config = small_strokes("batch");
  config.inner.step_size = 0.3;
  SupervisedMetaLearner mean(config, find_algorithm("maml"), pool);
  const Episodes episode = uneven_episode(mean);
  const auto by_mean = mean.predict(episode, {.steps = 2});

  // The first step by hand: the mean over all seven pictures.
  const Params theta = mean.meta_parameters();
  const auto loss =
      mean.network().loss_at(theta, episode.support_x, OutputLoss::cross_entropy(episode.support_y, 1.0 / 7));
  const Params stepped = theta - 0.3 * loss->gradient();
  CHECK(largest_difference(mean.network().output(stepped, episode.query_x), by_mean[1]) < 1e-5);
  CHECK(largest_difference(by_mean[0], by_mean[1]) > 1e-3);

  config.loss_reduction = "sum_over_ways";
  config.inner.step_size = 0.1;  // 0.3 = 3 ways x 0.1
  SupervisedMetaLearner sum(config, find_algorithm("maml"), pool);
  CHECK(largest_difference(sum.predict(episode, {.steps = 2})[2], by_mean[2]) < 1e-4);
}

TEST_CASE("an adapted network predicts new queries as its method does, without the support set", "[meta]") {
  const auto mode = GENERATE(as<std::string>{}, "batch", "per_task_running", "global_running");
  const auto name = GENERATE(as<std::string>{}, "maml", "meta_sgd", "anil", "t_net", "joint");
  INFO(name + ", " + mode);
  ThreadPool pool(2, &Executor::prepare_thread);
  SupervisedMetaLearner learner(small_strokes(mode), find_algorithm(name), pool);
  learner.iterate(0);  // running statistics of their own
  const SupervisedEvaluationConfig evaluation{.steps = 3};
  const Episodes episode = uneven_episode(learner);
  const auto adapted = adapted_network(learner, episode, evaluation);
  REQUIRE(adapted.has_value());
  const auto expected = learner.predict(episode, evaluation);
  CHECK(largest_difference(predict(learner, *adapted, episode.query_x, evaluation), expected.back()) < 1e-3);
  CHECK(largest_difference(expected.front(), expected.back()) > 1e-2);
  CHECK(adapted->statistics.empty() == (mode == "batch"));

  // Where a prediction depends on no other query, more of them than are passed at once change nothing.
  const auto many = episode.query_x.repeat({1, kQueriesAtOnce / 5 + 3, 1, 1, 1});
  const auto first = predict(learner, *adapted, many, evaluation).narrow(1, 0, 5);
  CHECK(queries_count_together(learner) == (mode == "batch"));
  if (mode != "batch") CHECK(largest_difference(first, expected.back()) < 1e-3);
}

TEST_CASE("no adapted network is found for what predicts by its support set or by several networks",
          "[meta]") {
  const auto name = GENERATE(as<std::string>{}, "prototypical", "matching", "r2d2", "siamese",
                             "emaml_ensemble", "tsa_maml");
  INFO(name);
  ThreadPool pool(2, &Executor::prepare_thread);
  SupervisedMetaLearner learner(small_strokes("per_task_running"), find_algorithm(name), pool);
  CHECK_FALSE(adapted_network(learner, uneven_episode(learner), {.steps = 2}).has_value());
}

TEST_CASE("adapted parameters of another network are refused by name", "[meta]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  SupervisedMetaLearner learner(small_strokes("per_task_running"), find_algorithm("maml"), pool);
  auto wider = small_strokes("per_task_running");
  wider.network.own = {{"filters", 5}};
  SupervisedMetaLearner other(wider, find_algorithm("maml"), pool);
  const Episodes episode = uneven_episode(learner);
  const auto adapted = adapted_network(other, episode, {.steps = 1});
  CHECK_THROWS_WITH(predict(learner, *adapted, episode.query_x, {.steps = 1}),
                    contains("adapted parameters") && contains("conv1") && contains("expected"));
}
