#include "meta/supervised/presentation_study.h"

#include <cmath>

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

// Classes 0 and 1, labels 0 1 1 0 0 1, said 1 1 0 0 0 1: class 0 is wrong, right, right, class 1 right,
// wrong, right.
TEST_CASE("accuracy by presentation counts each class' own presentations", "[meta]") {
  const Tensor labels = torch::tensor({0, 1, 1, 0, 0, 1}, torch::kInt64);
  const Tensor scores =
      torch::one_hot(torch::tensor({1, 1, 0, 0, 0, 1}, torch::kInt64), 2).to(torch::kFloat64);
  CHECK(accuracy_by_presentation(scores, labels, 2) == std::vector<double>{0.5, 0.5, 1});
  const Tensor uneven = torch::tensor({0, 1, 1, 0, 1, 1}, torch::kInt64);
  CHECK_THROWS_WITH(accuracy_by_presentation(scores, uneven, 2), contains("class 1 has more steps"));
  CHECK_THROWS_AS(accuracy_by_presentation(scores, labels, 4), Error);
}

namespace {

SupervisedMetaConfig reading_config() {
  SupervisedMetaConfig config;
  config.dataset = {.name = "strokes", .own = {{"image_size", 14}}};
  config.shape = {.ways = 3, .shots = 1, .queries = 3};
  config.inner.steps = 0;
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 2;
  return config;
}

}  // namespace

TEST_CASE("mann is read at each presentation of held-out sequences, other methods are not", "[meta]") {
  ThreadPool pool(2, &Executor::prepare_thread);
  auto config = reading_config();
  config.algorithm.own = {{"hidden", 5}, {"slots", 8}, {"size", 4}, {"reads", 2}};
  const SupervisedMetaLearner mann(config, find_algorithm("mann"), pool);
  const auto found = presentation_accuracy(mann, {.tasks = 7});
  REQUIRE(found.size() == 7);
  for (const auto& task : found) {
    REQUIRE(task.size() == 4);
    for (const double a : task) CHECK(std::abs(3 * a - std::round(3 * a)) < 1e-12);
  }
  CHECK(presentation_accuracy(mann, {.tasks = 2, .shots = 2, .queries = 1}).front().size() == 3);
  CHECK(found == presentation_accuracy(mann, {.tasks = 7}));

  config.algorithm.own = {};
  config.network = {.name = "mlp", .own = {{"hidden", "4"}}};
  const SupervisedMetaLearner prototypical(config, find_algorithm("prototypical"), pool);
  CHECK(presentation_accuracy(prototypical, {.tasks = 7}).empty());
}
