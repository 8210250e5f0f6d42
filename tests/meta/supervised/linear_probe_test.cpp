#include "meta/supervised/linear_probe.h"

#include "base/error.h"
#include "tests/meta/supervised/studies.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Six test classes of eight images [1, 2, 2], each of which says its class in one pixel, clearly if `loud`.
class Pixels : public Dataset {
 public:
  explicit Pixels(double loud) : loud_(loud) {
    spec_.name = "pixels";
    spec_.input = {1, 2, 3};
    spec_.classification = true;
  }
  const DatasetSpec& spec() const override { return spec_; }
  void check(Split, const EpisodeShape& shape) const override {
    require_usage(shape.ways <= 6 && shape.shots + shape.queries <= 8, "pixels: too few");
  }
  int64_t classes(Split) const override { return 6; }
  int64_t samples_per_class(Split) const override { return 8; }
  void draw(Split, const EpisodeShape& shape, Stream& stream, Episodes& e, int64_t t) const override {
    check(Split::kTest, shape);
    const auto fill = [&](const Tensor& x, const Tensor& y, int64_t each) {
      for (int64_t i = 0; i < shape.ways * each; ++i) {
        for (int64_t p = 0; p < 6; ++p) {
          const double ink = 1 + 0.1 * stream.normal() + (p == i / each ? loud_ : 0);
          x[i].view({6})[p] = ink;
        }
        y[i] = i / each;
      }
    };
    fill(e.support_x[t], e.support_y[t], shape.shots);
    fill(e.query_x[t], e.query_y[t], shape.queries);
  }

 private:
  double loud_;
  DatasetSpec spec_;
};

SupervisedMetaConfig on_pixels() {
  SupervisedMetaConfig config;
  config.shape = {.ways = 2, .shots = 1, .queries = 1};
  config.optimizer = {.name = "adam"};
  config.inner = {.steps = 1};
  config.network = {.name = "mlp", .batch_norm = "none", .own = {{"hidden", "24"}}};
  return config;
}

}  // namespace

TEST_CASE("the linear probe reads what the features say of all test classes, and no more", "[analysis]") {
  ThreadPool pool(2, &Executor::prepare_thread);
  for (const double loud : {3.0, 0.0}) {
    SupervisedMetaLearner learner(on_pixels(), find_algorithm("maml"), std::make_unique<Pixels>(loud), pool);
    const auto found = study_linear_probe(learner, {.tasks = 4, .steps = 0}, 1e-3);
    CHECK(found.classes == 6);
    CHECK(found.train == 4);
    CHECK(found.test == 4);
    CHECK(found.features == 24);
    REQUIRE(found.accuracy.size() == 4);
    for (size_t split = 0; split < 4; ++split) {
      CHECK(found.train_accuracy[split] > 0.8);  // 24 samples of 24 features
      if (loud > 0) CHECK(found.accuracy[split] > 0.95);
      if (loud == 0) CHECK(found.accuracy[split] < 0.5);  // a sixth by chance
    }
  }
}

TEST_CASE("the linear probe has the same bits for any number of threads, and other ones with another seed",
          "[analysis]") {
  const Studied one(strokes_to_study(), "maml", 1), three(strokes_to_study(), "maml", 3);
  const SupervisedEvaluationConfig evaluation{.tasks = 1, .steps = 0, .shots = 2, .queries = 1};
  const auto a = study_linear_probe(one.learner, evaluation, 1e-2),
             b = study_linear_probe(three.learner, evaluation, 1e-2);
  CHECK(a.accuracy == b.accuracy);
  CHECK(a.train_accuracy == b.train_accuracy);
  CHECK(a.accuracy[0] > 3.0 / static_cast<double>(a.classes));  // drawn characters, some filters
  auto other = evaluation;
  other.seed = 2;
  CHECK(study_linear_probe(one.learner, other, 1e-2).accuracy != a.accuracy);
}

TEST_CASE("features are the same for any number of threads, of any algorithm", "[analysis]") {
  const auto algorithm = GENERATE(as<std::string>{}, "maml", "prototypical", "joint");
  const Studied one(strokes_to_study("global_running"), algorithm, 1),
      three(strokes_to_study("global_running"), algorithm, 3);
  const Tensor x = one.learner.evaluation_episode({.ways = 20, .shots = 15}, 0).support_x;
  const Tensor found = one.learner.features(x);
  CHECK(found.equal(three.learner.features(x)));
  CHECK(found.size(1) == x.size(1));
  CHECK(torch::allclose(one.learner.features(x.narrow(1, 3, 5)), found.narrow(1, 3, 5), 1e-4, 1e-5));
}

TEST_CASE("the linear probe refuses what it cannot split", "[analysis]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  const auto config = on_pixels();
  const SupervisedMetaLearner learner(config, find_algorithm("maml"), std::make_unique<Pixels>(1), pool);
  CHECK_THROWS_WITH(study_linear_probe(learner, {.tasks = 1, .shots = 8}, 1e-3),
                    contains("8 and 0 images of each class found"));
  CHECK_THROWS_AS(study_linear_probe(learner, {.tasks = 1, .shots = 8, .queries = 8}, 1e-3), UsageError);
  const Studied sine(sine_to_study());
  CHECK_THROWS_WITH(study_linear_probe(sine.learner, {.tasks = 1}, 1e-3),
                    contains("needs classes of the test split; the data set sine has 0"));
}
