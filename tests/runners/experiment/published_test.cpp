#include "runners/experiment/published.h"

#include "base/error.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

ExperimentConfig installed(const std::string& name) { return make_config(read_settings(find_config(name))); }

}  // namespace

TEST_CASE("every published row can be read, and its configuration is installed and of its shape",
          "[published]") {
  REQUIRE(published_cells().size() >= 24);
  for (const auto& cell : published_cells()) {
    CAPTURE(cell.dataset, cell.algorithm, cell.config, cell.step);
    const auto protocol = installed(cell.config);
    CHECK(!cell.source.empty());
    if (protocol.side == Side::kPolicy) {
      CHECK(cell.dataset == protocol.learner.environment.name);
      CHECK(cell.shots == protocol.evaluation.trajectories);
      CHECK(cell.step <= protocol.evaluation.steps);
      continue;
    }
    const auto& trained = protocol.supervised.shape;
    const auto& asked = protocol.supervised_evaluation;
    // Where training has other ways than tests (prototypical networks), one training is tested with several.
    const bool any_ways = asked.ways > 0 && asked.ways != trained.ways;
    CHECK((any_ways || trained.ways == cell.ways));
    CHECK((asked.shots > 0 ? asked.shots : trained.shots) == cell.shots);
    CHECK(cell.value > 0);
    CHECK(cell.value <= (cell.dataset == "sine" ? 10 : 1));
    CHECK(cell.interval < 0.1);
    CHECK((cell.interval > 0 || cell.interval_kind == "unknown"));
    CHECK((cell.step == kNotStated || (cell.step >= 1 && cell.step <= asked.steps)));
  }
}

TEST_CASE("a configuration of a published experiment finds its number, and what it does otherwise",
          "[published]") {
  const auto differences = [](const ExperimentConfig& config, const EpisodeShape& shape, int64_t iterations) {
    return protocol_differences(config, find_published(config, shape).front(), iterations);
  };
  const std::vector<std::string> none;
  const auto sine = installed("sine_5shot");
  const auto cells = find_published(sine, {.ways = 1, .shots = 5});
  REQUIRE(cells.size() == 3);
  CHECK(cells[0].value == 0.67);
  CHECK(published_protocol(cells[0]) == "configuration sine_5shot");
  CHECK(differences(sine, {.ways = 1, .shots = 5}, 70000) == none);
  CHECK(find_published(sine, {.ways = 1, .shots = 10}).empty());
  const auto pretrained = installed("sine_pretrained");
  CHECK(find_published(pretrained, {.ways = 1, .shots = 5}).front().value == 2.41);
  CHECK_THAT(join(differences(installed("sine_oracle"), {.ways = 1, .shots = 5}, 70000)),
             contains("dataset.observe_task true instead of false"));
  auto seed = sine;
  seed.supervised.seed = 3;
  seed.supervised_evaluation.seed = 4;
  seed.checkpoint.every = 7;
  CHECK(differences(seed, {.ways = 1, .shots = 5}, 70000) == none);
  CHECK(differences(sine, {.ways = 1, .shots = 5}, 60) ==
        std::vector<std::string>{"meta.iterations 60 instead of 70000"});

  const EpisodeShape shape{.ways = 20, .shots = 1, .queries = 1};
  CHECK(find_published(installed("omniglot_20way_1shot"), shape).front().value == 0.958);
  auto first_order = make_config(read_settings(find_config("omniglot_20way_1shot")),
                                 {{"algorithm", "fomaml", "--algorithm"}});
  CHECK(find_published(first_order, shape).front().value == 0.894);
  CHECK(published_protocol(find_published(first_order, shape).front()) ==
        "configuration omniglot_20way_1shot, algorithm fomaml");
  CHECK(differences(first_order, shape, 60000) == none);
  first_order.supervised.dataset.own.set("splits", "vinyals");
  CHECK(differences(first_order, shape, 60000) ==
        std::vector<std::string>{"dataset.splits vinyals instead of maml"});

  CHECK(find_published(installed("strokes_5way_1shot"), {.ways = 5, .shots = 1}).empty());
}

TEST_CASE("published returns stand beside a policy of their algorithm and environment", "[published]") {
  const auto paper = installed("navigation_2d_paper");
  const auto cells = find_published_returns(paper);
  REQUIRE(cells.size() == 4);
  CHECK(cells[0].value == -40.41);
  CHECK(cells[1].step == 1);
  CHECK(protocol_differences(paper, cells[0], 100) == std::vector<std::string>{});
  CHECK(published_protocol(cells[0]) == "configuration navigation_2d_paper");
  const auto quick = make_config(read_settings(find_config("navigation_2d_paper")),
                                 {{"meta.batch_size", "20", "--meta.batch_size"}});
  CHECK(protocol_differences(quick, find_published_returns(quick).front(), 100) ==
        std::vector<std::string>{"meta.batch_size 20 instead of 40"});
  const auto of = [](const std::string& name, const std::string& algorithm) {
    return make_config(read_settings(find_config(name)), {{"algorithm", algorithm, "--algorithm"}});
  };
  CHECK(find_published_returns(of("navigation_2d_paper", "meta_sgd")).empty());
  CHECK(find_published_returns(installed("half_cheetah_velocity_gym")).empty());
  for (const std::string name :
       {"half_cheetah_direction_paper", "half_cheetah_velocity_paper", "ant_direction"}) {
    const auto config = installed(name);
    const auto returns = find_published_returns(config);
    REQUIRE(returns.size() == 4);
    CHECK(protocol_differences(config, returns[1], config.iterations) == std::vector<std::string>{});
  }
}

TEST_CASE("first-order MAML stands beside MAML's returns, and is told apart", "[published]") {
  const auto first_order = make_config(read_settings(find_config("navigation_2d_paper")),
                                       {{"algorithm", "fomaml", "--algorithm"}});
  const auto cells = find_published_returns(first_order);
  REQUIRE(cells.size() == 4);
  CHECK(protocol_differences(first_order, cells[0], 100) ==
        std::vector<std::string>{"algorithm fomaml instead of maml",
                                 "inner.first_order true instead of false"});
  CHECK(find_published_returns(installed("half_cheetah_direction"))[1].value == 293.19);
}

TEST_CASE("differences from a protocol are told in lines that fit, none lost", "[published]") {
  CHECK(differences_text({}).empty());
  CHECK(differences_text({"seed 2 instead of 1"}) == "otherwise here: seed 2 instead of 1\n");
  const std::string forty(40, 'x'), long_one(120, 'y');
  CHECK(differences_text({forty, forty, "z", long_one}) ==
        "otherwise here: " + forty + "; " + forty + ";\n  z;\n  " + long_one + "\n");
}

TEST_CASE("no published number stands beside other shots", "[published]") {
  CHECK(find_published(installed("sine_5shot"), {.ways = 1, .shots = 40}).empty());
}

TEST_CASE("of two protocols of one shape the nearer one stands beside a result", "[published]") {
  const EpisodeShape shape{.ways = 5, .shots = 1, .queries = 1};
  CHECK(find_published(installed("omniglot_5way_1shot"), shape).front().value == 0.987);
  CHECK(find_published(installed("omniglot_5way_1shot_no_conv"), shape).front().value == 0.897);
  auto almost = installed("omniglot_5way_1shot");
  almost.supervised.inner.steps = 5;
  almost.supervised.inner.adapt = "linear.*";
  almost.supervised.meta_batch_size = 8;
  almost.supervised.shape.queries = 3;
  almost.supervised_evaluation.queries = 1;
  CHECK(protocol_differences(almost, find_published(almost, shape).front(), 60000) ==
        std::vector<std::string>{"dataset.queries 3 instead of 1", "inner.steps 5 instead of 1",
                                 "inner.adapt linear.* instead of conv*.weight,linear.*",
                                 "meta.batch_size 8 instead of 32"});
}

TEST_CASE("a row stands beside a result only of its algorithm and of its images", "[published]") {
  const EpisodeShape shape{.ways = 5, .shots = 1, .queries = 1};
  const auto learned = make_config(read_settings(find_config("omniglot_5way_1shot")),
                                   {{"algorithm", "meta_sgd", "--algorithm"}});
  CHECK(find_published(learned, shape).empty());
  auto mini = installed("mini_imagenet_5way_1shot");
  CHECK(find_published(mini, shape).front().value == 0.487);
  CHECK(find_published_baseline(mini, shape, "nearest_neighbour").front().value == 0.4108);
  mini.supervised.dataset.own.set("path", "/data/miniImageNet");
  CHECK(find_published(mini, shape).front().value == 0.487);
  mini.supervised.dataset.own.set("path", "/data/my-images.zip");
  CHECK(find_published(mini, shape).empty());
}

TEST_CASE("installed configurations of published experiments differ in nothing from their protocol",
          "[published]") {
  int compared = 0;
  for (const auto& named : installed_configs()) {
    const auto config = installed(named.name);
    if (config.side != Side::kSupervised) continue;
    INFO(named.name);
    const auto& trained = config.supervised.shape;
    const auto& asked = config.supervised_evaluation;
    const EpisodeShape shape{.ways = trained.ways,
                             .shots = asked.shots > 0 ? asked.shots : trained.shots,
                             .queries = asked.queries > 0 ? asked.queries : trained.queries};
    const auto cells = find_published(config, shape);
    if (cells.empty() || cells.front().config != named.name) continue;
    CHECK(protocol_differences(config, cells.front(), config.iterations) == std::vector<std::string>{});
    ++compared;
  }
  CHECK(compared >= 12);  // sine, Omniglot with and without convolutions, mini-ImageNet; some pretrained
}
