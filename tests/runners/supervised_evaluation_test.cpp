#include "runners/supervised_evaluation.h"

#include <cmath>
#include <cstdlib>

#include "runners/progress.h"
#include "runners/supervised_job.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

ExperimentConfig installed(const std::string& name) { return make_config(read_settings(find_config(name))); }

// Whether what the configuration reads can be read here.
bool has_data(const ExperimentConfig& config) {
  const auto& dataset = config.supervised.dataset;
  if (dataset.name == "sine" || dataset.name == "strokes") return true;
  const char* data = std::getenv("INNERLOOP_DATA");
  const std::string path = dataset.path.empty() ? dataset.name : dataset.path;
  return data != nullptr && std::filesystem::exists(std::filesystem::path(data) / path);
}

}  // namespace

TEST_CASE("mean and interval of a metric are those worked out by hand, by step", "[evaluation]") {
  const auto steps = statistics({{1, 10}, {2, 20}, {6, 30}});
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].mean == Approx(3));
  // Squared deviations 4, 1, 9: variance 14 / 2 = 7.
  CHECK(*steps[0].ci95 == Approx(1.96 * std::sqrt(7.0 / 3)));
  CHECK(steps[1].step == 1);
  CHECK(steps[1].mean == Approx(20));
  CHECK(!statistics({{1, 2}})[0].ci95);
  CHECK_THROWS_WITH(statistics({}), contains("without tasks"));
}

TEST_CASE("a configuration of a published experiment finds its number, and what it does otherwise",
          "[evaluation]") {
  const auto sine = installed("sine_5shot");
  const auto cells = find_published(sine, {.ways = 1, .shots = 5});
  REQUIRE(cells.size() == 3);
  CHECK(cells[0].value == 0.67);
  CHECK_THAT(published_protocol(cells[0]), contains("70,000 iterations"));
  CHECK(protocol_differences(sine, {.ways = 1, .shots = 5}, 70000).empty());
  CHECK(find_published(sine, {.ways = 1, .shots = 10}).empty());
  CHECK(find_published(installed("sine_pretrained"), {.ways = 1, .shots = 5}).front().value == 2.41);
  CHECK(find_published(installed("sine_oracle"), {.ways = 1, .shots = 5}).empty());

  auto omniglot = installed("omniglot_20way_1shot");
  const EpisodeShape shape{.ways = 20, .shots = 1, .queries = 1};
  CHECK(find_published(omniglot, shape).front().value == 0.958);
  CHECK(protocol_differences(omniglot, shape, 60000).empty());
  omniglot.supervised.inner.first_order = true;
  const PublishedCell first_order = find_published(omniglot, shape).front();
  CHECK(first_order.value == 0.894);
  CHECK(published_protocol(first_order).empty());  // Nichol et al. had their own
  omniglot.supervised.dataset.splits = "vinyals";
  CHECK(protocol_differences(omniglot, shape, 60000) ==
        std::vector<std::string>{"dataset.splits vinyals instead of maml"});
  CHECK(find_published(installed("omniglot_5way_1shot_no_conv"), {.ways = 5, .shots = 1}).front().value ==
        0.897);

  const auto mini = installed("mini_imagenet_5way_1shot");
  CHECK(find_published(mini, {.ways = 5, .shots = 1, .queries = 1}).front().value == 0.487);
  CHECK(find_published_baseline(mini, {.ways = 5, .shots = 1}, "nearest neighbour").front().value == 0.4108);
  CHECK(find_published(installed("strokes_5way_1shot"), {.ways = 5, .shots = 1}).empty());
}

TEST_CASE("installed configurations of published experiments differ in nothing from their protocol",
          "[evaluation]") {
  int compared = 0;
  for (const auto& named : installed_configs()) {
    const auto config = installed(named.name);
    if (config.side != Side::kSupervised || config.supervised.inner.steps == 0) continue;
    INFO(named.name);
    const auto& trained = config.supervised.shape;
    const auto& asked = config.supervised_evaluation;
    const EpisodeShape shape{.ways = trained.ways,
                             .shots = asked.shots > 0 ? asked.shots : trained.shots,
                             .queries = asked.queries > 0 ? asked.queries : trained.queries};
    if (find_published(config, shape).empty()) continue;
    CHECK(protocol_differences(config, shape, config.iterations) == std::vector<std::string>{});
    ++compared;
  }
  CHECK(compared == 8);  // sine, Omniglot with and without convolutions, mini-ImageNet
}

TEST_CASE("what a configuration does, not its name, decides beside which method it is printed",
          "[evaluation]") {
  const EpisodeShape shape{.ways = 5, .shots = 1, .queries = 1};
  auto config = installed("omniglot_5way_1shot");
  CHECK(published_method(config) == "maml");
  config.supervised.inner.step_sizes = "per_parameter";
  CHECK(published_method(config) == "meta_sgd");
  CHECK(find_published(config, shape).empty());
  config.supervised.inner.first_order = true;
  CHECK(published_method(config) == "first-order meta_sgd");
  config.supervised.inner.step_sizes = "fixed";
  CHECK(published_method(config) == "fomaml");
  config.supervised.inner.steps = 0;
  CHECK(published_method(config) == "joint");

  auto almost = installed("omniglot_5way_1shot");
  almost.supervised.inner.steps = 5;
  almost.supervised.inner.adapt = "linear.*";
  almost.supervised.meta_batch_size = 8;
  almost.supervised.shape.queries = 3;
  CHECK(protocol_differences(almost, shape, 60000) ==
        std::vector<std::string>{"3 training queries per class instead of 1", "inner.steps 5 instead of 1",
                                 "inner.adapt linear.* instead of conv*.weight,linear.* or layer*",
                                 "meta.batch_size 8 instead of 32"});
}

TEST_CASE("the step size on the mean loss is told when the loss is summed over the ways", "[evaluation]") {
  CHECK(step_size_text(installed("omniglot_5way_1shot").supervised) == "0.4 x 5 ways = 2 on the mean loss");
  CHECK(effective_step_size(installed("omniglot_20way_5shot").supervised) == Approx(2));
  CHECK(effective_step_size(installed("mini_imagenet_5way_1shot").supervised) == Approx(0.05));
  CHECK(step_size_text(installed("sine_5shot").supervised) == "0.001");
}

TEST_CASE("milliseconds per iteration are found again in the log", "[evaluation]") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
  const TemporaryFolder folder;
  CHECK(!logged_milliseconds(folder / "log.txt"));
  const RunLog log(folder / "log.txt");
  log.write("training 3 meta-iterations");
  CHECK(!logged_milliseconds(folder / "log.txt"));
  log.write(milliseconds_text({7, 7, 8}));
  log.write(milliseconds_text({0.5f, 0.25f, 0.75f}));
  log.write("done");
  CHECK(*logged_milliseconds(folder / "log.txt") == 0.5);
}

TEST_CASE("every installed supervised configuration makes a learner where its data are", "[evaluation]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  int made = 0;
  for (const auto& named : installed_configs()) {
    const auto config = installed(named.name);
    if (config.side != Side::kSupervised || !has_data(config)) continue;
    INFO(named.name);
    const SupervisedJob job(config, pool);
    CHECK_THAT(job.summary(), contains(config.supervised.dataset.name) && contains("batch norm: "));
    ++made;
  }
  CHECK(made >= 8);  // those of sine and strokes
}
