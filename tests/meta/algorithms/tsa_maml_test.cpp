#include "meta/algorithms/tsa_maml.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/algorithms/maml.h"
#include "meta/algorithms/registry.h"
#include "meta/gradient_method.h"
#include "meta/supervised/supervised_meta_learner.h"
#include "networks/tensors/k_means.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

SupervisedMetaConfig sine() {
  SupervisedMetaConfig config;
  config.inner = {.steps = 2, .step_size = 0.01};
  config.optimizer = {.name = "adam_by_group", .step_size = 1e-2};
  config.meta_batch_size = 4;
  config.shape = {.ways = 1, .shots = 5, .queries = 5};
  config.network = {.name = "mlp", .own = {{"hidden", "8"}}};
  config.algorithm = {.name = "tsa_maml",
                      .own = {{"groups", 3}, {"solutions", 40}, {"assign_steps", 6}, {"restarts", 2}}};
  config.seed = 5;
  return config;
}

const Algorithm& row() { return find_algorithm("tsa_maml"); }

}  // namespace

TEST_CASE("TSA-MAML trains the group that is full first and lets the others wait", "[tsa_maml]") {
  CHECK(first_full_group({0, 1, 0, 0, 1, 0}, 4) == std::vector<size_t>{0, 2, 3, 5});
  CHECK(first_full_group({0, 1, 0, 0, 1}, 4).empty());
  CHECK(first_full_group({1, 0, 0, 1}, 2) == std::vector<size_t>{1, 2});
  CHECK(first_full_group({}, 1).empty());
}

TEST_CASE("TSA-MAML starts every group at the mean of its tasks' solutions", "[tsa_maml]") {
  const auto config = sine();
  ThreadPool pool(2, &Executor::prepare_thread);
  SupervisedMetaLearner learner(config, row(), pool);
  const Params before = learner.meta_parameters().cloned();
  CHECK(identical(before.part("group1/"), before.first(4)));
  learner.iterate(0);
  const Params after = learner.meta_parameters();
  CHECK(identical(after.first(4), before.first(4)));  // theta stays

  // The same solutions and clusters, by MAML's own inner loop.
  const auto dataset = make_dataset(config.dataset);
  const GradientMethod plain(Parts{},
                             {.inner = config.inner,
                              .network = [&](int64_t n) { return make_network(config.network, {1}, n); },
                              .outputs = 1,
                              .dataset = dataset.get(),
                              .shape = config.shape});
  const TaskSource source(*dataset, config.shape, config.seed);
  std::vector<Tensor> rows;
  for (int64_t i = 0; i < 40; ++i) {
    const EpisodeTask task(plain.network(true), source.tasks(i, 1, 1), config.shape, LossReduction::kMean,
                           BatchNormMode::kNone);
    auto adaptation = plain.inner().start(before.first(4), 1, {}, Keep::kLast);
    for (int k = 0; k < 6; ++k) plain.inner().advance(adaptation, task);
    rows.push_back(flatten(adaptation.adapted()).unsqueeze(0));
  }
  const Tensor points = torch::cat(rows), centres = learner.method_state().at("centres")[0];
  const auto members = nearest_centres(points, centres);
  for (int64_t g = 0; g < 3; ++g) {
    const Tensor own = points.index_select(0, torch::tensor(members).eq(g).nonzero().squeeze(1));
    REQUIRE(own.size(0) > 0);
    CHECK((own.mean(0) - centres[g]).abs().max().item<double>() < 1e-5);
  }
  // One group has moved away from its centre, by one step of Adam; the others are at theirs.
  int moved = 0;
  for (int64_t g = 0; g < 3; ++g) {
    const double apart =
        (flatten(after.part(concat("group", g, "/"))) - centres[g]).abs().max().item<double>();
    if (apart == 0) continue;
    ++moved;
    CHECK(apart == Approx(1e-2).epsilon(1e-3));
  }
  CHECK(moved == 1);
}

TEST_CASE("TSA-MAML adapts a held-out task from the group of its support set", "[tsa_maml]") {
  const auto config = sine();
  ThreadPool pool(1, &Executor::prepare_thread);
  SupervisedMetaLearner learner(config, row(), pool);
  for (int64_t i = 0; i < 6; ++i) learner.iterate(i);
  const Params meta = learner.meta_parameters();
  const auto plain =
      maml().method({}, {.inner = config.inner,
                         .network = [&](int64_t n) { return make_network(config.network, {1}, n); },
                         .outputs = 1,
                         .dataset = &learner.dataset(),
                         .shape = config.shape});
  const auto& inner = dynamic_cast<const GradientMethod&>(*plain).inner();
  const Tensor centres = learner.method_state().at("centres")[0];
  std::vector<int64_t> seen;
  const SupervisedEvaluationConfig evaluation{.steps = 2};
  for (int64_t t = 0; t < 12; ++t) {
    const Episodes episode = learner.evaluation_episode(evaluation, t);
    const EpisodeTask task(plain->network(false), episode, config.shape, LossReduction::kMean,
                           BatchNormMode::kNone);
    auto adaptation = inner.start(meta.first(4), 1, {}, Keep::kLast);
    for (int k = 0; k < 6; ++k) inner.advance(adaptation, task);
    seen.push_back(nearest_centres(flatten(adaptation.adapted()).unsqueeze(0), centres).front());
    const auto expected = plain->predict(meta.part(concat("group", seen.back(), "/")), task, 2, {});
    const auto found = learner.predict(episode, evaluation, t);
    for (size_t k = 0; k < 3; ++k) CHECK(found[k].equal(expected[k]));
  }
  CHECK(*std::max_element(seen.begin(), seen.end()) > *std::min_element(seen.begin(), seen.end()));
}

TEST_CASE("TSA-MAML refuses a state that is not its own", "[tsa_maml]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  SupervisedMetaLearner learner(sine(), row(), pool);
  learner.iterate(0);
  const Params state = learner.method_state();
  CHECK_NOTHROW(learner.use(learner.meta_parameters(), state));
  CHECK_THROWS_WITH(learner.use(learner.meta_parameters(), Params({{"centres", torch::zeros({1, 2, 25})},
                                                                   {"queue", state.at("queue")}})),
                    contains("expected [1, 3, 25]"));
  auto config = sine();
  config.algorithm.own.set("groups", "50");
  CHECK_THROWS_WITH(SupervisedMetaLearner(config, row(), pool), contains("tsa_maml.solutions = 40"));
  config = sine();
  config.inner.steps = 0;
  CHECK_THROWS_WITH(SupervisedMetaLearner(config, row(), pool), contains("inner.steps: 0 found"));
}
