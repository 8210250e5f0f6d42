#include "meta/supervised/permutation_study.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "tests/meta/supervised/studies.h"
#include "tests/torch_catch.h"

using namespace innerloop;

TEST_CASE("all orders of few classes are listed once, others are drawn by task and seed", "[analysis]") {
  const auto all = class_orders(3, 6, 1, 0);
  CHECK(all ==
        std::vector<std::vector<int64_t>>{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}});
  CHECK(number_of_orders(5) == 120);
  CHECK(number_of_orders(25) == INT64_MAX);
  const auto some = class_orders(20, 50, 1, 3);
  REQUIRE(some.size() == 50);
  CHECK(std::is_sorted(some.front().begin(), some.front().end()));
  CHECK(std::set<std::vector<int64_t>>(some.begin(), some.end()).size() == 50);
  CHECK(some == class_orders(20, 50, 1, 3));
  CHECK(some != class_orders(20, 50, 1, 4));
  CHECK(some != class_orders(20, 50, 2, 3));
  CHECK(class_orders(4, 1, 1, 0).size() == 1);
}

TEST_CASE("a relabelled task has the same samples under other labels", "[analysis]") {
  const Studied studied(strokes_to_study());
  const Episodes episode = studied.learner.evaluation_episode({}, 0);
  const Episodes other = relabelled(episode, {2, 0, 1});
  CHECK(torch::equal(other.support_y, episode.support_y));
  CHECK(torch::equal(other.support_x[0][0], episode.support_x[0][2]));
  CHECK(torch::equal(other.support_x[0][1], episode.support_x[0][0]));
  CHECK(torch::equal(other.query_x[0][5], episode.query_x[0][1]));  // label 1, its second of four queries
  CHECK(torch::equal(relabelled(episode, {0, 1, 2}).query_x, episode.query_x));
}

TEST_CASE("the order as drawn alone gives the numbers of an evaluation to the bit", "[analysis]") {
  const Studied studied(strokes_to_study());
  const SupervisedEvaluationConfig evaluation{.tasks = 5, .steps = 2};
  const auto metrics = studied.learner.evaluate(evaluation);
  const auto one = study_permutations(studied.learner, evaluation, 1),
             all = study_permutations(studied.learner, evaluation);
  const auto spread = spread_of(all);
  for (size_t i = 0; i < metrics.size(); ++i) {
    REQUIRE(one[i].size() == 1);
    REQUIRE(all[i].size() == 6);
    CHECK(one[i].front() == metrics[i].back());
    CHECK(all[i].front() == metrics[i].back());
    CHECK(spread.as_drawn[i] == metrics[i].back());
    CHECK(spread.best[i] >= spread.mean[i]);
    CHECK(spread.worst[i] <= spread.mean[i]);
  }
  // MAML's head is another for each label, so that orders differ.
  CHECK(*std::max_element(spread.std.begin(), spread.std.end()) > 0);
}

TEST_CASE("an algorithm that learns no head for each class does not see the order", "[analysis]") {
  auto config = strokes_to_study();
  config.inner.steps = 0;
  const Studied studied(config, "prototypical");
  const auto spread = spread_of(study_permutations(studied.learner, {.tasks = 4, .steps = 0}));
  for (const double std : spread.std) CHECK(std < 1e-12);
}

TEST_CASE("best, mean, worst and spread of a task are those worked out by hand", "[analysis]") {
  const auto spread = spread_of({{.5, .25, .75}, {1, 1, 1}});
  CHECK(spread.as_drawn == std::vector<double>{.5, 1});
  CHECK(spread.best == std::vector<double>{.75, 1});
  CHECK(spread.worst == std::vector<double>{.25, 1});
  CHECK(spread.mean[0] == Approx(.5));
  CHECK(spread.std[0] == Approx(std::sqrt(.125 / 3)));
  CHECK(spread.std[1] == 0);
}

TEST_CASE("orders are refused of curves and beyond those that there are", "[analysis]") {
  const Studied curves(sine_to_study()), studied(strokes_to_study());
  CHECK_THROWS_WITH(study_permutations(curves.learner, {.tasks = 1}), contains("needs classes"));
  CHECK_THROWS_WITH(study_permutations(studied.learner, {.tasks = 1}, 7), contains("there are 6"));
}
