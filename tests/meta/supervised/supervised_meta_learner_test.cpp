#include "meta/supervised/supervised_meta_learner.h"

#include <cmath>
#include <map>
#include <mutex>
#include <numeric>
#include <set>

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "meta/direct_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

SupervisedMetaConfig sine_config() {
  SupervisedMetaConfig config;
  config.inner = {.steps = 1, .step_size = 0.01};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 7;
  config.shape = {.ways = 1, .shots = 5, .queries = 5};
  config.network = {.name = "mlp", .initialization = "truncated_normal", .own = {{"hidden", "8,8"}}};
  return config;
}

SupervisedMetaConfig strokes_config(const std::string& batch_norm = "batch") {
  SupervisedMetaConfig config;
  config.dataset = {.name = "strokes", .own = {{"image_size", 14}}};
  config.shape = {.ways = 3, .shots = 1, .queries = 2};
  config.inner = {.steps = 2, .step_size = 0.1, .adapt = "conv*,linear*"};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 5;
  config.network = {.name = "conv4", .batch_norm = batch_norm, .own = {{"filters", 4}}};
  return config;
}

const Algorithm& maml_row() { return find_algorithm("maml"); }

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("a supervised training has the same bits for 1, 2 and 5 threads and across a restore", "[meta]") {
  auto config = GENERATE(sine_config(), strokes_config(), strokes_config("global_running"));
  if (config.dataset.name == "sine")
    config.meta_batch_size = 30;  // chunks of several tasks, the last smaller
  const auto run = [&](int threads, bool interrupted) {
    ThreadPool pool(threads, &Executor::prepare_thread);
    auto learner = std::make_unique<SupervisedMetaLearner>(config, maml_row(), pool);
    for (int64_t i = 0; i < 3; ++i) {
      learner->iterate(i, i == 1);
      if (interrupted) {
        auto next = std::make_unique<SupervisedMetaLearner>(config, maml_row(), pool);
        next->restore(learner->meta_parameters(), learner->optimizer_state(), learner->method_state());
        learner = std::move(next);
      }
    }
    return std::pair{learner->meta_parameters().cloned(), learner->evaluate({.tasks = 4, .steps = 2})};
  };
  const auto [meta, metrics] = run(1, false);
  for (const int threads : {2, 5}) {
    const auto [other, other_metrics] = run(threads, threads == 5);
    CHECK(identical(meta, other));
    CHECK(metrics == other_metrics);
  }
}

TEST_CASE("checkpointing the inner loop changes no bit", "[meta]") {
  auto config = strokes_config();
  config.inner.steps = 4;
  const auto run = [&](bool checkpointing) {
    config.inner.checkpointing = checkpointing;
    ThreadPool pool(2, &Executor::prepare_thread);
    SupervisedMetaLearner learner(config, maml_row(), pool);
    learner.iterate(0);
    return learner.meta_parameters().cloned();
  };
  CHECK(identical(run(false), run(true)));
}

TEST_CASE("evaluation tasks depend on the evaluation's seed alone and change nothing", "[meta]") {
  ThreadPool pool(2, &Executor::prepare_thread);
  const auto config = sine_config();
  SupervisedMetaLearner learner(config, maml_row(), pool), other(config, maml_row(), pool);
  other.iterate(0);
  const SupervisedEvaluationConfig evaluation{.tasks = 3, .steps = 2, .seed = 9};
  const auto before = learner.meta_parameters().cloned();
  const auto first = learner.evaluate(evaluation);
  CHECK(first == learner.evaluate(evaluation));
  CHECK(identical(before, learner.meta_parameters()));
  CHECK(first.size() == 3);
  CHECK(first[0].size() == 3);
  CHECK(torch::equal(learner.evaluation_episode(evaluation, 1).support_x,
                     other.evaluation_episode(evaluation, 1).support_x));
  CHECK_FALSE(torch::equal(learner.evaluation_episode(evaluation, 1).support_x,
                           learner.evaluation_episode(evaluation, 2).support_x));
  auto another = evaluation;
  another.seed = 10;
  CHECK(first != learner.evaluate(another));
  another = evaluation;
  another.split = Split::kValidation;
  CHECK(first != learner.evaluate(another));
  another = evaluation;
  another.shots = 9;
  another.queries = 3;
  const auto episode = learner.evaluation_episode(another, 0);
  CHECK(episode.support_x.size(1) == 9);
  CHECK(episode.query_x.size(1) == 3);
}

// phi_1 = theta - alpha grad, worked out through the network's own gradient.
TEST_CASE("evaluation reports the metric of plain gradient steps", "[meta]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  const auto config = strokes_config();
  SupervisedMetaLearner learner(config, maml_row(), pool);
  const SupervisedEvaluationConfig evaluation{.tasks = 2, .steps = 1};
  const auto metrics = learner.evaluate(evaluation);
  for (int64_t i = 0; i < 2; ++i) {
    const auto episode = learner.evaluation_episode(evaluation, i);
    const Params theta = learner.meta_parameters();
    const auto loss = learner.network().loss_at(theta, episode.support_x,
                                                OutputLoss::cross_entropy(episode.support_y, 1.0 / 3));
    std::vector<torch::Tensor> values;
    for (const auto& entry : theta) {
      const bool adapts = entry.name.rfind("norm", 0) != 0;
      values.push_back(adapts ? entry.value - 0.1 * loss->gradient().at(entry.name) : entry.value);
    }
    const auto accuracy = [&](const Params& phi) {
      const auto right = learner.network().output(phi, episode.query_x).argmax(2).eq(episode.query_y);
      return right.to(torch::kFloat64).mean().item<double>();
    };
    CHECK(metrics[static_cast<size_t>(i)][0] == accuracy(theta));
    CHECK(metrics[static_cast<size_t>(i)][1] == accuracy(theta.with(values)));
  }
}

TEST_CASE("global running statistics move in training and are what evaluation uses", "[meta]") {
  ThreadPool pool(2, &Executor::prepare_thread);
  const auto config = strokes_config("global_running");
  SupervisedMetaLearner learner(config, maml_row(), pool), still(config, maml_row(), pool);
  const auto state = learner.method_state();
  CHECK(state.at("running.norm1.variance").eq(1).all().item<bool>());
  learner.iterate(0);
  const auto moved = learner.method_state();
  CHECK_FALSE(torch::equal(moved.at("running.norm1.mean"), state.at("running.norm1.mean")));
  // The same meta-parameters with other statistics predict differently.
  still.use(learner.meta_parameters(), state);
  const SupervisedEvaluationConfig evaluation{.tasks = 6, .steps = 1};
  CHECK(learner.evaluate(evaluation) != still.evaluate(evaluation));
}

TEST_CASE("meta.clip bounds every entry of the meta-gradient", "[meta]") {
  auto config = sine_config();
  config.optimizer = {.name = "sgd", .step_size = 1, .clip = 1e-3};
  ThreadPool pool(1, &Executor::prepare_thread);
  SupervisedMetaLearner learner(config, maml_row(), pool);
  const auto before = learner.meta_parameters().cloned();
  learner.iterate(0);
  const double change = distance(learner.meta_parameters(), before);
  CHECK(change == Approx(1e-3).epsilon(1e-3));
  config.optimizer.clip = 0;
  SupervisedMetaLearner unbounded(config, maml_row(), pool);
  unbounded.iterate(0);
  CHECK(distance(unbounded.meta_parameters(), before) > 2e-3);
}

namespace {

// The sine data set with another support set: its inputs shifted.
class ShiftedSupport : public Dataset {
 public:
  explicit ShiftedSupport(double shift) : inner_(make_dataset({.name = "sine"})), shift_(shift) {}
  const DatasetSpec& spec() const override { return inner_->spec(); }
  void check(Split split, const EpisodeShape& shape) const override { inner_->check(split, shape); }
  void draw(Split split, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
            int64_t t) const override {
    inner_->draw(split, shape, stream, episodes, t);
    episodes.support_x[t] += shift_;
  }

 private:
  std::unique_ptr<Dataset> inner_;
  double shift_;
};

}  // namespace

TEST_CASE("first-order and second-order training differ, joint training ignores the support set", "[meta]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  const auto trained = [&](const std::string& algorithm, bool first_order, double shift) {
    auto config = sine_config();
    config.inner = {.steps = algorithm == "joint" ? 0 : 1, .step_size = 0.05, .first_order = first_order};
    SupervisedMetaLearner learner(config, find_algorithm(algorithm), std::make_unique<ShiftedSupport>(shift),
                                  pool);
    for (int64_t i = 0; i < 2; ++i) learner.iterate(i);
    return learner.meta_parameters().cloned();
  };
  CHECK_FALSE(identical(trained("maml", false, 0), trained("maml", true, 0)));
  CHECK_FALSE(identical(trained("maml", false, 0), trained("maml", false, 1)));
  CHECK(identical(trained("joint", false, 0), trained("joint", false, 1)));
}

TEST_CASE("joint training of a classifier learns all training classes and adapts a fresh last layer",
          "[meta]") {
  auto config = strokes_config();
  config.inner = {.steps = 0, .step_size = 0.5, .adapt = "linear*"};
  config.shape.queries = 8;
  ThreadPool pool(2, &Executor::prepare_thread);
  SupervisedMetaLearner learner(config, find_algorithm("joint"), pool);
  const int64_t classes = learner.dataset().classes(Split::kTrain);
  CHECK(learner.meta_parameters().at("linear.weight").size(1) == classes);
  const double start = learner.iterate(0).query_loss;
  CHECK(start == Approx(std::log(static_cast<double>(classes))).epsilon(0.2));
  const Params theta = learner.method().initialisation(learner.meta_parameters());
  CHECK(theta.at("linear.weight").size(1) == 3);
  CHECK(theta.at("linear.weight").eq(0).all().item<bool>());
  CHECK(torch::equal(theta.at("conv1.weight"), learner.meta_parameters().at("conv1.weight")));
  const auto metrics = learner.evaluate({.tasks = 40, .steps = 3});
  std::vector<double> before, after;
  for (const auto& row : metrics) before.push_back(row.front()), after.push_back(row.back());
  CHECK(mean(before) == Approx(1.0 / 3));  // every logit is 0: the first class
  CHECK(mean(after) > 1.0 / 3 + 0.03);
}

TEST_CASE("nearest neighbour on pixels is the label of the nearest support image", "[meta]") {
  ThreadPool pool(2, &Executor::prepare_thread);
  SupervisedMetaLearner learner(strokes_config(), maml_row(), pool);
  const SupervisedEvaluationConfig evaluation{.tasks = 5, .queries = 4};
  const auto found = learner.nearest_neighbour(evaluation, /*on_features=*/false);
  for (int64_t i = 0; i < 5; ++i) {
    const auto e = learner.evaluation_episode(evaluation, i);
    int64_t right = 0;
    for (int64_t q = 0; q < 12; ++q) {
      int64_t best = 0;
      double least = 1e300;
      for (int64_t s = 0; s < 3; ++s) {
        const double d = (e.query_x[0][q] - e.support_x[0][s]).square().sum().item<double>();
        if (d < least) least = d, best = s;
      }
      right += e.support_y[0][best].item<int64_t>() == e.query_y[0][q].item<int64_t>();
    }
    CHECK(found[static_cast<size_t>(i)] == Approx(static_cast<double>(right) / 12));
  }
  CHECK(found != learner.nearest_neighbour(evaluation, /*on_features=*/true));
  SupervisedMetaLearner sine(sine_config(), maml_row(), pool);
  CHECK_THROWS_WITH(sine.nearest_neighbour(evaluation, false), contains("has no classes"));
}

TEST_CASE("a few hundred meta-iterations teach a sine network to adapt", "[meta]") {
  auto config = sine_config();
  config.network = {.name = "mlp", .own = {{"hidden", "20,20"}}};
  config.shape = {.ways = 1, .shots = 10, .queries = 10};
  config.inner.step_size = 0.02;
  config.optimizer.step_size = 5e-3;
  ThreadPool pool(2, &Executor::prepare_thread);
  const auto adapted = [&](int64_t iterations) {
    SupervisedMetaLearner learner(config, maml_row(), pool);
    for (int64_t i = 0; i < iterations; ++i) learner.iterate(i);
    std::vector<double> after;
    for (const auto& row : learner.evaluate({.tasks = 100, .steps = 5})) after.push_back(row.back());
    return mean(after);
  };
  CHECK(adapted(800) < 0.6 * adapted(0));
}

TEST_CASE("what a supervised training cannot do is refused", "[meta]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  auto config = sine_config();
  config.meta_batch_size = 0;
  CHECK_THROWS_WITH(SupervisedMetaLearner(config, maml_row(), pool), contains("meta.batch_size: 0"));
  config = sine_config();
  config.optimizer.name = "trpo";
  SupervisedMetaLearner learner(config, maml_row(), pool);
  CHECK_THROWS_WITH(learner.iterate(0), contains("trpo needs policies"));
  config = strokes_config();
  config.shape.shots = 1000;
  CHECK_THROWS_AS(SupervisedMetaLearner(config, maml_row(), pool), UsageError);
  SupervisedMetaLearner sine(sine_config(), maml_row(), pool), strokes(strokes_config(), maml_row(), pool);
  CHECK_THROWS_WITH(sine.restore(strokes.meta_parameters(), strokes.optimizer_state(), {}),
                    contains("meta-parameters: entries"));
}

TEST_CASE("tasks of other ways are those of a learner for so many, where nothing learned depends on them",
          "[meta]") {
  const std::string name = GENERATE("prototypical", "unicorn_maml", "joint");
  auto config = strokes_config(GENERATE("batch", "global_running"));
  config.algorithm.name = name;
  if (name != "unicorn_maml") config.inner = {.steps = 0, .step_size = 0.1};
  ThreadPool pool(2, &Executor::prepare_thread);
  SupervisedMetaLearner learner(config, find_algorithm(name), pool);
  for (int64_t i = 0; i < 2; ++i) learner.iterate(i);
  auto wider = config;
  wider.shape.ways = 5;
  SupervisedMetaLearner other(wider, find_algorithm(name), pool);
  other.use(learner.meta_parameters(), learner.method_state());
  const SupervisedEvaluationConfig as_trained{.tasks = 3, .steps = 2};
  SupervisedEvaluationConfig five = as_trained;
  five.ways = 5;
  CHECK(learner.evaluate(five) == other.evaluate(as_trained));
  CHECK(learner.nearest_neighbour(five, true) == other.nearest_neighbour(as_trained, true));
  CHECK(learner.evaluate(five) != learner.evaluate(as_trained));
  CHECK_NOTHROW(learner.check(five));
}

TEST_CASE("other ways are refused where a head is learned for each class", "[meta]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  SupervisedMetaLearner learner(strokes_config(), maml_row(), pool);
  CHECK_THROWS_AS(learner.check({.ways = 4}), UsageError);
  CHECK_THROWS_WITH(
      learner.check({.ways = 4}),
      contains("evaluation.ways is 4, but algorithm maml learned for 3 ways: its linear.weight has "
               "the shape [1, 3, 4], 4 ways need [1, 4, 4]"));
  CHECK_THROWS_WITH(learner.evaluate({.ways = 4}), contains("evaluation.ways is 4"));
  CHECK_NOTHROW(learner.check({.ways = 3}));
  CHECK_THROWS_WITH(SupervisedMetaLearner(sine_config(), maml_row(), pool).check({.ways = 4}),
                    contains("expected 1 (regression)"));
}

TEST_CASE("an evaluation in full tells each task's classes and the labels given to its queries", "[meta]") {
  ThreadPool pool(2, &Executor::prepare_thread);
  SupervisedMetaLearner learner(strokes_config(), maml_row(), pool);
  const SupervisedEvaluationConfig evaluation{.tasks = 60, .steps = 1};  // more than a block
  const auto found = learner.evaluate_in_full(evaluation);
  REQUIRE(found.metrics == learner.evaluate(evaluation));
  REQUIRE(found.classes.size() == 60);
  REQUIRE(found.predicted.size() == 60);
  for (size_t task = 0; task < 60; ++task) {
    CHECK(found.classes[task].size() == 3);
    REQUIRE(found.predicted[task].size() == 6);
    double right = 0;
    for (size_t i = 0; i < 6; ++i) right += found.predicted[task][i] == static_cast<int64_t>(i / 2) ? 1 : 0;
    CHECK(right / 6 == Approx(found.metrics[task].back()));
  }
}

TEST_CASE("evaluation without replacement has as many tasks as share no sample", "[meta]") {
  ThreadPool pool(2, &Executor::prepare_thread);
  SupervisedMetaLearner learner(strokes_config(), maml_row(), pool);
  SupervisedEvaluationConfig evaluation{.tasks = 1000, .steps = 1, .queries = 9, .replacement = false};
  const int64_t count = learner.task_count(evaluation);
  const int64_t classes = learner.dataset().classes(Split::kTest);
  CHECK(count > classes / 3);  // 20 drawings of each class are two tasks of 10
  CHECK(count <= 2 * classes / 3);
  const auto found = learner.evaluate_in_full(evaluation);
  REQUIRE(static_cast<int64_t>(found.metrics.size()) == count);
  REQUIRE(found.classes.size() == found.metrics.size());
  std::map<int64_t, int64_t> uses;
  for (const auto& task : found.classes) {
    for (const int64_t c : task) CHECK(++uses[c] <= 2);
  }
  CHECK(learner.nearest_neighbour(evaluation, false).size() == found.metrics.size());
  const auto predicted = learner.predict(learner.evaluation_episode(evaluation, 3), evaluation, 3).back();
  const auto labels = learner.evaluation_episode(evaluation, 3).query_y;
  CHECK(predicted.argmax(2).eq(labels).to(torch::kFloat64).mean().item<double>() ==
        Approx(found.metrics[3].back()));
  evaluation.tasks = 5;
  CHECK(learner.evaluate(evaluation) == TaskMetrics(found.metrics.begin(), found.metrics.begin() + 5));
  evaluation.seed = 2;
  CHECK(learner.evaluate_in_full(evaluation).classes !=
        decltype(found.classes)(found.classes.begin(), found.classes.begin() + 5));
  CHECK_THROWS_WITH(learner.evaluation_episode(evaluation, 7),
                    contains("task 7 asked, the test split has 5"));
  SupervisedMetaLearner sine(sine_config(), maml_row(), pool);
  CHECK_THROWS_AS(sine.evaluate({.tasks = 5, .steps = 1, .replacement = false}), UsageError);
}

namespace {

// Tells which shapes its training tasks had.
struct Shapes {
  std::mutex lock;
  std::map<int64_t, std::set<std::pair<int64_t, int64_t>>> seen;  // support and query samples, by iteration
};

Algorithm shape_reader(Shapes& shapes) {
  struct Reader : DirectMethod {
    Reader(const MethodContext& context, Shapes& to) : DirectMethod(context, context.outputs), shapes(to) {}
    torch::Tensor loss(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override {
      if (now.training) {
        const std::lock_guard guard(shapes.lock);
        shapes.seen[now.iteration].emplace(tasks.episodes().support_y.size(1),
                                           tasks.episodes().query_y.size(1));
      }
      return tasks.loss(Part::kSupport, meta, 0);
    }
    torch::Tensor query_scores(const Params& meta, const EpisodeTask& tasks, const Moment&) const override {
      return tasks.output(Part::kQuery, meta);
    }
    Shapes& shapes;
  };
  return {.name = "shape_reader", .method = [&shapes](const Texts&, const MethodContext& context) {
            return std::make_unique<Reader>(context, shapes);
          }};
}

SupervisedMetaConfig varying_shots() {
  auto config = strokes_config();
  config.inner = {.steps = 0};
  config.network = {.name = "mlp", .own = {{"hidden", "4"}}};
  config.shape = {.ways = 2, .shots = 2, .queries = 4};
  config.most_shots = 5;
  config.meta_batch_size = 3;
  return config;
}

}  // namespace

TEST_CASE("shots are drawn anew each iteration, all equally often, of as many samples of a class", "[meta]") {
  const auto train = [](int threads, uint64_t seed, int64_t iterations) {
    auto config = varying_shots();
    config.seed = seed;
    Shapes shapes;
    ThreadPool pool(threads, &Executor::prepare_thread);
    SupervisedMetaLearner learner(config, shape_reader(shapes), pool);
    for (int64_t i = 0; i < iterations; ++i) learner.iterate(i);
    return shapes.seen;
  };
  const auto seen = train(1, 1, 400);
  std::map<int64_t, int> count;
  for (const auto& [iteration, shapes] : seen) {
    REQUIRE(shapes.size() == 1);  // the same for all tasks
    const auto [support, query] = *shapes.begin();
    CHECK(support + query == 2 * 6);
    ++count[support / 2];
  }
  CHECK(count.size() == 4);
  for (int64_t shots = 2; shots <= 5; ++shots) CHECK(std::abs(count[shots] - 100) < 40);
  CHECK(train(2, 1, 20) == std::map(seen.begin(), seen.find(20)));
  CHECK(train(1, 2, 20) != std::map(seen.begin(), seen.find(20)));
}

TEST_CASE("validation and evaluation keep their shots where training varies them", "[meta]") {
  auto config = varying_shots();
  Shapes shapes;
  ThreadPool pool(1, &Executor::prepare_thread);
  const SupervisedMetaLearner learner(config, shape_reader(shapes), pool);
  CHECK(learner.evaluation_episode({.split = Split::kValidation}, 0).support_y.size(1) == 4);
  CHECK(learner.evaluation_episode({.shots = 1, .queries = 15}, 0).query_y.size(1) == 30);
  const auto refused = [&](int64_t most) {
    config.most_shots = most;
    return [&] { SupervisedMetaLearner(config, shape_reader(shapes), pool); };
  };
  CHECK_THROWS_WITH(refused(1)(),
                    contains("dataset.most_shots: 1 found, expected 0, or from dataset.shots, 2, to 5"));
  CHECK_THROWS_AS(refused(6)(), UsageError);
  CHECK_NOTHROW(refused(2)());
}
