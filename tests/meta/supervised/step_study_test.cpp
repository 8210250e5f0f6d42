#include "meta/supervised/step_study.h"

#include <cmath>

#include "base/error.h"
#include "tests/meta/supervised/studies.h"
#include "tests/torch_catch.h"

using namespace innerloop;

TEST_CASE("steps of the trained size give the numbers of an evaluation to the bit, others those of that size",
          "[analysis]") {
  auto config = sine_to_study();
  const Studied studied(config);
  const SupervisedEvaluationConfig evaluation{.tasks = 4, .steps = 5};
  const auto found = study_steps(studied.learner, evaluation, {1, 0.5});
  REQUIRE(found.size() == 2);
  CHECK(found[0] == studied.learner.evaluate(evaluation));
  config.inner.step_size *= 0.5;
  Studied half(config);
  half.learner.use(studied.learner.meta_parameters(), studied.learner.method_state());
  const auto expected = half.learner.evaluate(evaluation);
  for (size_t task = 0; task < expected.size(); ++task) {
    for (size_t k = 0; k < expected[task].size(); ++k) CHECK(found[1][task][k] == Approx(expected[task][k]));
  }
  CHECK(found[0][0][1] != found[1][0][1]);
}

TEST_CASE("a step size that diverges leaves what came before it", "[analysis]") {
  const Studied studied(sine_to_study());
  const SupervisedEvaluationConfig evaluation{.tasks = 2, .steps = 60};
  const auto found = study_steps(studied.learner, evaluation, {1, 1e6});
  for (size_t task = 0; task < 2; ++task) {
    CHECK(std::isfinite(found[0][task].back()));
    CHECK(std::isfinite(found[1][task].front()));
    CHECK(std::isnan(found[1][task].back()));
  }
}

TEST_CASE("step sizes that are no multiples and algorithms without steps are refused", "[analysis]") {
  const Studied studied(sine_to_study());
  const SupervisedEvaluationConfig evaluation{.tasks = 1, .steps = 1};
  CHECK_THROWS_WITH(study_steps(studied.learner, evaluation, {}), contains("at least one"));
  CHECK_THROWS_WITH(study_steps(studied.learner, evaluation, {0}), contains("expected a positive number"));
  CHECK_THROWS_WITH(study_steps(studied.learner, {.tasks = 1, .steps = 0}, {1}),
                    contains("evaluation.steps: 0"));
  auto config = strokes_to_study();
  config.inner.steps = 0;
  const Studied prototypes(config, "prototypical");
  CHECK_THROWS_WITH(study_steps(prototypes.learner, evaluation, {1}), contains("without gradient steps"));
}
