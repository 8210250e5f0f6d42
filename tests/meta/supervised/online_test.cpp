// Online meta-learning: what arrives when, what the learners descend, and that nothing else decides.
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "datasets/numbered_tasks.h"
#include "meta/algorithms/registry.h"
#include "meta/supervised/online_learner.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

// A task is a constant c to be predicted from x = 0: f_k(b) = (b - c_k)^2 in the network's bias b. Tasks 0,
// 1, 2 have c = 1, 2, 6. A sample of it is marked by its place: y = c + kMark place.
class Constants : public Dataset, public NumberedTasks {
 public:
  explicit Constants(double mark = 0) : mark_(mark) {
    spec_.name = "constants";
    spec_.input = {1};
  }
  const DatasetSpec& spec() const override { return spec_; }
  void check(Split, const EpisodeShape&) const override {}
  void draw(Split, const EpisodeShape& shape, Stream& stream, Episodes& episodes, int64_t t) const override {
    draw_numbered(0, shape, stream, episodes, t);
  }
  int64_t tasks() const override { return 3; }
  std::string task_name(int64_t task) const override { return concat("constant ", task); }
  int64_t classes(Split) const override { return 1; }
  void draw_numbered(int64_t task, const EpisodeShape&, Stream&, Episodes& episodes,
                     int64_t t) const override {
    constexpr double kConstants[] = {1, 2, 6};
    int64_t place = 0;
    for (auto* part : {&episodes.support_y, &episodes.query_y}) {
      for (int64_t i = 0; i < part->size(1); ++i)
        (*part)[t][i][0] = kConstants[task] + mark_ * static_cast<double>(place++);
    }
    episodes.support_x[t].zero_();
    episodes.query_x[t].zero_();
  }

 private:
  double mark_;
  DatasetSpec spec_;
};

SupervisedMetaConfig quadratic_config(double beta) {
  SupervisedMetaConfig config;
  config.inner = {.steps = 1, .step_size = 0.05};  // b - c shrinks to 0.9 of it
  config.optimizer = {.name = "sgd", .step_size = beta};
  config.meta_batch_size = 300;
  config.shape = {.ways = 1, .shots = 2, .queries = 2};
  config.network = {.name = "mlp", .own = {{"hidden", "none"}}};
  return config;
}

const OnlineRule& rule(const std::string& name) {
  for (const auto& one : online_rules()) {
    if (one.name == name) return one;
  }
  throw Error("no rule " + name);
}

double bias(const OnlineLearner& learner) { return learner.parameters()[1].item<double>(); }

SupervisedMetaConfig sine_config() {
  SupervisedMetaConfig config;
  config.inner = {.steps = 2, .step_size = 0.01};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 20;
  config.shape = {.ways = 1, .shots = 3, .queries = 2};
  config.network = {.name = "mlp", .own = {{"hidden", "8,8"}}};
  return config;
}

SupervisedMetaConfig rainbow_config() {
  SupervisedMetaConfig config;
  config.dataset = {.name = "rainbow_strokes", .own = {{"image_size", 14}}};
  config.inner = {.steps = 2, .step_size = 0.1};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 3;
  config.shape = {.ways = 10, .shots = 1, .queries = 1};
  config.network = {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 4}}};
  return config;
}

}  // namespace

TEST_CASE("on quadratics the meta leader is the leader, and its losses are 0.81 of the leader's",
          "[meta][online]") {
  // f_k(U(b)) = 0.81 (b - c_k)^2: both sums are least at the mean of the c_k drawn, which one step of size
  // 1 / f'' reaches from anywhere.
  const Constants tasks;
  ThreadPool pool(2, &Executor::prepare_thread);
  const Executor executor(pool);
  const OnlineConfig online{.rounds = 3, .batches = 1, .batch = 4, .steps = 1};
  const auto found = [&](const std::string& name, double beta) {
    const auto config = quadratic_config(beta);
    OnlineStream stream(config, online, 1, tasks);
    stream.reach(2);
    OnlineLearner learner(rule(name), config, find_algorithm("maml"), tasks, executor);
    const double before = bias(learner);
    learner.update(stream, {.round = 2}, 0);
    std::vector<double> judged;
    for (int64_t round = 0; round < 3; ++round) judged.push_back(learner.judge(stream, {.round = round}, 1));
    return std::tuple{before, bias(learner), judged};
  };
  const auto [start, meta_leader, meta_losses] = found("ftml", 1 / 1.62);
  const auto [same_start, leader, losses] = found("toe", 1 / 2.0);
  CHECK(start == same_start);
  CHECK(meta_leader == Approx(leader).epsilon(1e-5));
  CHECK(leader == Approx(3).margin(0.5));  // the mean of 300 drawn: 3 +- 0.12
  REQUIRE(losses.size() == 3);
  for (size_t k = 0; k < 3; ++k) CHECK(meta_losses[k] == Approx(0.81 * losses[k]).epsilon(1e-4));
  // With the leader's own step the meta leader's goes 0.81 of the way: the inner step is really there.
  CHECK(std::get<1>(found("ftml", 1 / 2.0)) == Approx(start + 0.81 * (leader - start)).epsilon(1e-4));
}

TEST_CASE("FTL fine-tunes what it learned of the tasks before", "[meta][online]") {
  const Constants tasks;
  ThreadPool pool(1, &Executor::prepare_thread);
  const Executor executor(pool);
  const auto config = quadratic_config(0.5);
  const OnlineConfig online{.rounds = 2, .batches = 1, .batch = 4, .steps = 1};
  OnlineStream stream(config, online, 1, tasks);
  stream.reach(1);
  OnlineLearner joint(rule("joint"), config, find_algorithm("maml"), tasks, executor);
  joint.update(stream, {.round = 1}, 0);
  const double before = stream.held_out({.round = 0}).query_y.item<double>();
  const double current = stream.held_out({.round = 1}).query_y.item<double>();
  REQUIRE(before != current);
  CHECK(bias(joint) == Approx(before).epsilon(1e-5));  // one step to the minimum of the only task before
  CHECK(joint.judge(stream, {.round = 1}, 1) == Approx(0.81 * std::pow(before - current, 2)).epsilon(1e-4));
  CHECK(joint.judge(stream, {.round = 1}, 0) == Approx(std::pow(before - current, 2)).epsilon(1e-4));
  CHECK(rule("ftml").adapts);
  CHECK_FALSE(rule("toe").adapts);
}

TEST_CASE("only the scratch learner starts anew in a round", "[meta][online]") {
  const Constants tasks;
  ThreadPool pool(1, &Executor::prepare_thread);
  const Executor executor(pool);
  const auto config = sine_config();
  for (const auto& one : online_rules()) {
    INFO(one.name);
    const OnlineConfig online{.rounds = 2, .batches = 1, .batch = 5, .steps = 1};
    OnlineStream stream(config, online, 1, tasks);
    stream.reach(1);
    OnlineLearner learner(one, config, find_algorithm("maml"), tasks, executor);
    const auto first = learner.parameters().cloned();
    learner.update(stream, {.round = 0}, 0);
    const auto trained = learner.parameters().cloned();
    CHECK_FALSE(identical(first, trained));
    learner.begin_round(1);
    CHECK(identical(learner.parameters(), trained) == !one.fresh);
    CHECK_FALSE(identical(learner.parameters(), first));
  }
}

TEST_CASE("data arrive batch by batch, in every round another task", "[meta][online]") {
  const auto dataset = make_dataset({.name = "rainbow_strokes", .own = {{"image_size", 14}}});
  const OnlineConfig online{.rounds = 56, .batches = 3, .batch = 2, .steps = 1};
  OnlineStream stream(rainbow_config(), online, 4, *dataset);
  stream.reach(1);
  CHECK(stream.samples(1) == 20);
  CHECK(stream.samples(3) == 60);
  std::set<std::string> names;
  for (int64_t round = 0; round < 56; ++round) names.insert(stream.task_name(round));
  CHECK(names.size() == 56);
  const auto all = stream.held_out({.round = 1, .batches = 3});
  for (int64_t batches = 1; batches <= 3; ++batches) {
    const auto some = stream.held_out({.round = 1, .batches = batches});
    CHECK(some.support_x.sizes() == std::vector<int64_t>{1, 20 * batches, 3, 14, 14});
    CHECK(some.query_x.equal(all.query_x));
    const auto by_class = [](const torch::Tensor& y, int64_t each) { return y.view({10, each}); };
    CHECK(by_class(some.support_y, 2 * batches).equal(by_class(all.support_y, 6).narrow(1, 0, 2 * batches)));
    CHECK(some.support_x.view({10, 2 * batches, 3, 14, 14})
              .equal(all.support_x.view({10, 6, 3, 14, 14}).narrow(1, 0, 2 * batches)));
  }
  using Tasks = OnlineRule::Tasks;
  const auto range = [&](int64_t buffer, Tasks tasks, int64_t round) {
    auto with_buffer = online;
    with_buffer.buffer = buffer;
    const auto found = OnlineStream(rainbow_config(), with_buffer, 4, *dataset).range(tasks, round);
    return std::pair{found.first, found.last};
  };
  CHECK(range(0, Tasks::kSoFar, 20) == std::pair<int64_t, int64_t>{0, 20});
  CHECK(range(0, Tasks::kBefore, 20) == std::pair<int64_t, int64_t>{0, 19});
  CHECK(range(0, Tasks::kBefore, 0) == std::pair<int64_t, int64_t>{0, 0});
  CHECK(range(0, Tasks::kCurrent, 20) == std::pair<int64_t, int64_t>{20, 20});
  CHECK(range(5, Tasks::kSoFar, 20) == std::pair<int64_t, int64_t>{16, 20});
  CHECK(range(5, Tasks::kSoFar, 2) == std::pair<int64_t, int64_t>{0, 2});
  CHECK(range(5, Tasks::kBefore, 20) == std::pair<int64_t, int64_t>{15, 19});
}

TEST_CASE("an update takes disjoint support and query of what has come, and nothing held out",
          "[meta][online]") {
  const Constants tasks(/*mark=*/0.001);  // sample i of a task: c + i / 1000; 8 arrive, 3 are held out
  const OnlineConfig online{.rounds = 3, .batches = 2, .batch = 4, .steps = 1};
  auto config = quadratic_config(0.1);
  OnlineStream stream(config, online, 3, tasks);
  stream.reach(2);
  const auto place = [](double y) { return std::lround(1000 * (y - std::floor(y + 1e-6))); };
  const auto constant = [](double y) { return std::lround(std::floor(y + 1e-6)); };
  const auto episodes = stream.draw(OnlineRule::Tasks::kSoFar, {.round = 2, .batches = 1}, 5, 0, 300);
  const auto current = constant(stream.held_out({.round = 2}).query_y[0][0][0].item<double>());
  std::map<long, int> tasks_seen;
  std::set<long> of_current, of_others;
  for (int64_t t = 0; t < 300; ++t) {
    std::set<long> places;
    const auto y = torch::cat({episodes.support_y[t], episodes.query_y[t]}).flatten();
    const long task = constant(y[0].item<double>());
    for (int64_t i = 0; i < 4; ++i) {
      CHECK(constant(y[i].item<double>()) == task);
      places.insert(place(y[i].item<double>()));
    }
    CHECK(places.size() == 4);
    (task == current ? of_current : of_others).insert(places.begin(), places.end());
    ++tasks_seen[task];
  }
  CHECK(tasks_seen.size() == 3);
  for (const auto& [task, count] : tasks_seen) CHECK(std::abs(count - 100) < 41);  // 5 standard deviations
  CHECK(of_current == std::set<long>{0, 1, 2, 3});  // its first batch alone has come
  CHECK(of_others == std::set<long>{0, 1, 2, 3, 4, 5, 6, 7});
  const auto held = stream.held_out({.round = 2}).query_y.flatten();
  for (int64_t i = 0; i < 3; ++i) CHECK(place(held[i].item<double>()) == 8 + i);
}

TEST_CASE("all learners see the same stream, whatever their number and the order of asking",
          "[meta][online]") {
  const auto config = sine_config();
  const auto dataset = make_dataset(config.dataset);
  const OnlineConfig online{.rounds = 3, .batches = 2, .batch = 5, .steps = 1};
  OnlineStream once(config, online, 4, *dataset), again(config, online, 4, *dataset);
  once.reach(2);
  again.reach(0);
  again.reach(2);
  const OnlineStream::Now now{.round = 2, .batches = 1};
  const auto a = once.draw(OnlineRule::Tasks::kSoFar, now, 7, 0, 6);
  const auto b = again.draw(OnlineRule::Tasks::kSoFar, now, 7, 4, 2);
  CHECK(a.support_x.narrow(0, 4, 2).equal(b.support_x));
  CHECK(a.query_y.narrow(0, 4, 2).equal(b.query_y));
  CHECK_FALSE(a.support_x.equal(once.draw(OnlineRule::Tasks::kSoFar, now, 8, 0, 6).support_x));
  CHECK(once.held_out(now).query_x.equal(again.held_out(now).query_x));
  auto other = config;
  other.seed = 2;
  OnlineStream elsewhere(other, online, 4, *dataset);
  elsewhere.reach(2);
  CHECK_FALSE(once.held_out(now).query_x.equal(elsewhere.held_out(now).query_x));
}

TEST_CASE("an online learner has the same bits for 1, 2 and 5 threads and across a restore",
          "[meta][online]") {
  const auto config = GENERATE(sine_config(), rainbow_config());
  const auto one = GENERATE(from_range(online_rules()));
  CAPTURE(config.dataset.name, one.name);
  const auto dataset = make_dataset(config.dataset);
  const OnlineConfig online{.rounds = 2, .batches = 2, .batch = 5, .steps = 2};
  const auto run = [&](int threads, bool interrupted) {
    ThreadPool pool(threads, &Executor::prepare_thread);
    const Executor executor(pool);
    const auto make = [&] {
      return std::make_unique<OnlineLearner>(one, config, find_algorithm("maml"), *dataset, executor);
    };
    OnlineStream stream(config, online, 3, *dataset);
    auto learner = make();
    std::vector<double> judged;
    for (int64_t batch = 0; batch < 4; ++batch) {
      const OnlineStream::Now now{.round = batch / 2, .batches = batch % 2 + 1};
      stream.reach(now.round);
      if (now.batches == 1) learner->begin_round(now.round);
      for (int64_t i = 0; i < 2; ++i) learner->update(stream, now, 2 * batch + i);
      judged.push_back(learner->judge(stream, now, 2));
      if (!interrupted) continue;
      auto next = make();
      next->restore(learner->parameters(), learner->optimizer_state(), learner->method_state());
      learner = std::move(next);
    }
    return std::pair{learner->parameters().cloned(), judged};
  };
  const auto [parameters, judged] = run(1, false);
  for (const int threads : {2, 5}) {
    const auto [other, other_judged] = run(threads, threads == 5);
    CHECK(identical(parameters, other));
    CHECK(judged == other_judged);
  }
}

TEST_CASE("other gradient algorithms may follow the meta leader, and what cannot is refused",
          "[meta][online]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  const Executor executor(pool);
  const auto sine = make_dataset({.name = "sine"});
  const OnlineConfig online{.rounds = 1, .batches = 1, .batch = 5, .steps = 1};
  for (const std::string name : {"meta_sgd", "fomaml", "anil", "cavia"}) {
    INFO(name);
    auto config = sine_config();
    apply_algorithm(name, config);
    OnlineStream stream(config, online, 3, *sine);
    stream.reach(0);
    for (const auto& one : online_rules()) {
      OnlineLearner learner(one, config, find_algorithm(name), *sine, executor);
      CHECK(std::isfinite(learner.update(stream, {}, 0)));
      CHECK(std::isfinite(learner.judge(stream, {}, 3)));
    }
  }
  auto config = rainbow_config();
  const auto images = make_dataset(config.dataset);
  apply_algorithm("prototypical", config);
  CHECK_THROWS_WITH(OnlineLearner(rule("ftml"), config, find_algorithm("prototypical"), *images, executor),
                    contains("prototypical does not adapt by gradient steps"));
  config = rainbow_config();
  config.network.batch_norm = "global_running";
  CHECK_THROWS_WITH(OnlineLearner(rule("toe"), config, find_algorithm("maml"), *images, executor),
                    contains("global_running"));
  const auto refused = [&](const OnlineConfig& wrong, int64_t held_out, const std::string& word) {
    CHECK_THROWS_AS(OnlineStream(rainbow_config(), wrong, held_out, *images), UsageError);
    CHECK_THROWS_WITH(OnlineStream(rainbow_config(), wrong, held_out, *images), contains(word));
  };
  refused({.rounds = 57, .batches = 2, .batch = 2}, 5,
          "online.rounds: 57 found, rainbow_strokes has 56 tasks");
  refused({.rounds = 5, .batches = 20, .batch = 5}, 5, "100 images");
  refused({.rounds = 5, .batches = 2, .batch = 1}, 5, "online.batch: 1");
  config = rainbow_config();
  config.shape.ways = 5;
  CHECK_THROWS_WITH(OnlineStream(config, {.rounds = 5, .batches = 2, .batch = 2}, 5, *images),
                    contains("share their 10 classes"));
}
