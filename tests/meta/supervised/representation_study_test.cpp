#include "meta/supervised/representation_study.h"

#include <cmath>

#include "base/error.h"
#include "tests/meta/supervised/studies.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

std::vector<double> last_column(const TaskMetrics& metrics) {
  std::vector<double> out;
  for (const auto& task : metrics) out.push_back(task.back());
  return out;
}

std::vector<double> first_column(const TaskMetrics& metrics) {
  std::vector<double> out;
  for (const auto& task : metrics) out.push_back(task.front());
  return out;
}

// The query representations of task 0 before and after a course, layer by layer.
std::vector<std::pair<torch::Tensor, torch::Tensor>> representations(const SupervisedMetaLearner& learner,
                                                                     const Course& course) {
  std::vector<std::pair<torch::Tensor, torch::Tensor>> out;
  learner.for_each_task({.tasks = 1}, [&](const Method& method, const EpisodeTask& task, const Moment& now) {
    const auto trace = method.trace(learner.meta_parameters(), task, course, now);
    const auto before = task.query_layers(trace.before), after = task.query_layers(trace.after);
    for (size_t l = 0; l < before.size(); ++l) out.emplace_back(before[l], after[l]);
    return Params();
  });
  return out;
}

}  // namespace

TEST_CASE("holding no layer gives the numbers of an evaluation to the bit", "[analysis]") {
  const std::string algorithm =
      GENERATE("maml", "meta_sgd", "maml_plus_plus", "anil", "boil", "cavia", "t_net", "alfa", "meta_lstm",
               "reptile", "emaml_ensemble", "joint", "bmaml");
  const bool curves = algorithm == "cavia" || algorithm == "bmaml";
  INFO(algorithm);
  auto config = curves ? sine_to_study() : strokes_to_study();
  if (algorithm == "joint") config.inner.steps = 0;
  const Studied studied(config, algorithm);
  const SupervisedEvaluationConfig evaluation{.tasks = 3, .steps = 3};
  const auto study = study_representation(studied.learner, evaluation);
  const auto metrics = studied.learner.evaluate(evaluation);
  CHECK(study.held.front() == last_column(metrics));
  CHECK(study.before == first_column(metrics));
  CHECK(study.held.size() == study.layers.size());  // none, and every layer but the head
  CHECK(study.layers.back().head);
  CHECK_FALSE(study.layers.front().head);
}

TEST_CASE("layers that are held say the same to the bit after adaptation, and the next one does not",
          "[analysis]") {
  const std::string batch_norm = GENERATE("batch", "per_task_running", "global_running");
  const Studied studied(strokes_to_study(batch_norm));
  const auto layers = studied.learner.network().layer_names();
  REQUIRE(layers.size() == 4);
  Course course{.steps = 3};
  for (size_t held = 0; held <= layers.size(); ++held) {
    if (held > 0) course.held.insert(course.held.end(), layers[held - 1].begin(), layers[held - 1].end());
    const auto found = representations(studied.learner, course);
    REQUIRE(found.size() == 5);
    for (size_t l = 0; l < found.size(); ++l) {
      INFO(batch_norm << ": " << held << " layers held, layer " << l + 1);
      CHECK(torch::equal(found[l].first, found[l].second) == (l < held));
    }
  }
}

TEST_CASE("entries that are held stay under every update rule, also where it moves what has no gradient",
          "[analysis]") {
  const std::string algorithm =
      GENERATE("meta_sgd", "maml_plus_plus", "alfa", "meta_lstm", "reptile", "mt_net");
  INFO(algorithm);
  const Studied studied(strokes_to_study(), algorithm);
  const auto layers = studied.learner.network().layer_names();
  Course course{.steps = 2};
  course.held.insert(course.held.end(), layers[0].begin(), layers[0].end());
  Trace free, held;
  studied.learner.for_each_task({.tasks = 1},
                                [&](const Method& method, const EpisodeTask& task, const Moment& now) {
                                  const auto& meta = studied.learner.meta_parameters();
                                  free = method.trace(meta, task, {.steps = 2}, now);
                                  held = method.trace(meta, task, course, now);
                                  return Params();
                                });
  CHECK(torch::equal(held.before.at("conv1.weight"), held.after.at("conv1.weight")));
  CHECK_FALSE(torch::equal(free.before.at("conv1.weight"), free.after.at("conv1.weight")));
  CHECK_FALSE(torch::equal(held.before.at("conv2.weight"), held.after.at("conv2.weight")));
}

TEST_CASE("the study of an algorithm that adapts its head alone finds an unchanged body", "[analysis]") {
  const Studied studied(strokes_to_study(), "anil");
  const auto study = study_representation(studied.learner, {.tasks = 2, .steps = 3});
  REQUIRE(study.layers.size() == 5);
  CHECK(study.layers[0].name == "conv1");
  CHECK(study.layers[4].name == "linear");
  for (size_t l = 0; l < 4; ++l) {
    for (const double cka : study.layers[l].cka) CHECK(cka == Approx(1).margin(1e-12));
    for (const double moved : study.layers[l].moved) CHECK(moved == 0);
    CHECK(study.held[l + 1] == study.held[0]);
  }
  for (const double cka : study.layers[4].cka) CHECK(cka < 1 - 1e-9);
  for (const double moved : study.layers[4].moved) CHECK(moved > 0);
}

TEST_CASE("the study of representations has the same bits for 1 and 5 threads", "[analysis]") {
  const auto study = [](int threads) {
    const Studied studied(sine_to_study(), "maml", threads);
    const auto found = study_representation(studied.learner, {.tasks = 9, .steps = 2});
    std::vector<std::vector<double>> numbers = found.held;
    for (const auto& layer : found.layers) numbers.insert(numbers.end(), {layer.cka, layer.cca, layer.moved});
    return numbers;
  };
  const auto one = study(1);
  CHECK(one == study(5));
  CHECK(one.front().size() == 9);
  for (const double cca : one[4]) CHECK((cca > 0 && cca <= 1));  // 30 queries of 8 units
}

TEST_CASE("algorithms without gradient steps and evaluations without any are refused with the reason",
          "[analysis]") {
  auto config = strokes_to_study();
  config.inner.steps = 0;
  const Studied prototypes(config, "prototypical");
  CHECK_THROWS_WITH(study_representation(prototypes.learner, {.tasks = 1, .steps = 1}),
                    contains("prototypical") && contains("without gradient steps"));
  const Studied studied(sine_to_study());
  CHECK_THROWS_WITH(study_representation(studied.learner, {.tasks = 1, .steps = 0}),
                    contains("evaluation.steps: 0"));
}
