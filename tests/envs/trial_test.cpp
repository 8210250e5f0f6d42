#include "envs/trial.h"

#include "base/error.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

namespace innerloop {
namespace {

// Observes how often it was reset and how many steps it has done since; an episode ends by itself after
// `task` steps, or is cut at 3. The reward is the action, or the choice, plus a draw of its stream where
// the task is 7.
class Counter : public Environment {
 public:
  explicit Counter(ActionKind kind, int64_t actions) {
    spec_.name = "counter";
    spec_.observation_size = 2;
    spec_.action_kind = kind;
    spec_.action_size = actions;
    spec_.horizon = 3;
    spec_.task_parameters = {"length"};
    spec_.observation_names = {"resets", "steps"};
    spec_.action_names = std::vector<std::string>(static_cast<size_t>(actions), "motor");
  }
  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream&) const override { return Eigen::VectorXd::Constant(1, 2); }
  void set_task(const Eigen::VectorXd& task) override { length_ = task[0]; }
  void reset(Stream&, ObservationRef observation) override {
    observation << static_cast<float>(++resets_), 0;
    steps_ = 0;
  }
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override {
    observation << static_cast<float>(resets_), static_cast<float>(++steps_);
    const bool fails = length_ == 9 && steps_ == 2 && resets_ == 1;
    return {.reward = static_cast<double>(action[0]) + (length_ == 7 ? stream.normal() : 0),
            .terminated = steps_ == length_ || fails,
            .success = action[0] > 5,
            .failed = fails};
  }
  std::string failure() const override { return "it tipped over"; }

 private:
  EnvironmentSpec spec_;
  double length_ = 0;
  int resets_ = 0, steps_ = 0;
};

Eigen::VectorXf numbers(std::vector<float> values) {
  return Eigen::Map<const Eigen::VectorXf>(values.data(), static_cast<Eigen::Index>(values.size()));
}

TEST_CASE("a trial observes what it did and what came of it, and zeros before it did anything", "[trial]") {
  Trial trial(std::make_unique<Counter>(ActionKind::kContinuous, 2), 3);
  CHECK(trial.spec().observation_size == 2 + 2 + 2);
  CHECK(trial.spec().horizon == 9);
  CHECK(trial.spec().observation_names == std::vector<std::string>{"resets", "steps", "last motor",
                                                                   "last motor", "last reward",
                                                                   "episode ended"});
  trial.set_task(Eigen::VectorXd::Constant(1, 2));  // ends by itself after 2 of 3 steps
  Stream stream = test_stream(1);
  Eigen::VectorXf o(6);
  trial.reset(stream, o);
  CHECK(o == numbers({1, 0, 0, 0, 0, 0}));
  auto result = trial.step(numbers({0.5, -1}), stream, o);
  CHECK(o == numbers({1, 1, 0.5, -1, 0.5, 0}));
  CHECK_FALSE(begins_episode(o));
  CHECK_FALSE(result.terminated);
  result = trial.step(numbers({6, 2}), stream, o);
  CHECK(o == numbers({2, 0, 6, 2, 6, 1}));  // the second episode's first observation, what ended the first
  CHECK(begins_episode(o));
  CHECK_FALSE(result.terminated);
  CHECK(result.success);
  CHECK(result.reward == 6);
  trial.step(numbers({1, 1}), stream, o);
  CHECK(o == numbers({2, 1, 1, 1, 1, 0}));
  trial.step(numbers({1, 1}), stream, o);
  trial.step(numbers({1, 1}), stream, o);
  result = trial.step(numbers({3, 4}), stream, o);
  CHECK(o == numbers({3, 2, 3, 4, 3, 1}));  // the last episode's end: no further one begins
  CHECK(result.terminated);
  CHECK_THROWS_WITH(trial.step(numbers({1, 1}), stream, o), contains("after the last episode"));
  trial.reset(stream, o);
  CHECK(o == numbers({4, 0, 0, 0, 0, 0}));
}

TEST_CASE("an episode of a trial is cut at the environment's own horizon", "[trial]") {
  Trial trial(std::make_unique<Counter>(ActionKind::kContinuous, 1), 2);
  trial.set_task(Eigen::VectorXd::Constant(1, 100));
  Stream stream = test_stream(1);
  Eigen::VectorXf o(5);
  trial.reset(stream, o);
  for (int step = 1; step <= 6; ++step) {
    const auto result = trial.step(numbers({0}), stream, o);
    CHECK(begins_episode(o) == (step % 3 == 0));
    CHECK(result.terminated == (step == 6));
  }
}

TEST_CASE("a trial observes a choice as one number among zeros", "[trial]") {
  Trial trial(std::make_unique<Counter>(ActionKind::kDiscrete, 3), 1);
  CHECK(trial.spec().observation_size == 2 + 3 + 2);
  trial.set_task(Eigen::VectorXd::Constant(1, 3));
  Stream stream = test_stream(1);
  Eigen::VectorXf o(7);
  trial.reset(stream, o);
  trial.step(numbers({2}), stream, o);
  CHECK(o == numbers({1, 1, 0, 0, 1, 2, 0}));
  trial.step(numbers({0}), stream, o);
  CHECK(o == numbers({1, 2, 1, 0, 0, 0, 0}));
}

TEST_CASE("an episode that its simulation failed is told of, and the trial goes on", "[trial]") {
  Trial trial(std::make_unique<Counter>(ActionKind::kContinuous, 1), 2);
  trial.set_task(Eigen::VectorXd::Constant(1, 9));
  Stream stream = test_stream(1);
  Eigen::VectorXf o(5);
  trial.reset(stream, o);
  CHECK(trial.failure().empty());
  CHECK_FALSE(trial.step(numbers({0}), stream, o).failed);
  const auto result = trial.step(numbers({0}), stream, o);
  CHECK(result.failed);
  CHECK_FALSE(result.terminated);
  CHECK(trial.failure() == "it tipped over");
  CHECK(begins_episode(o));
  CHECK_FALSE(trial.step(numbers({0}), stream, o).failed);
  CHECK(trial.failure().empty());
}

TEST_CASE("a trial refuses what makes no sense", "[trial]") {
  const auto counter = [] { return std::make_unique<Counter>(ActionKind::kContinuous, 1); };
  CHECK_THROWS_AS(Trial(counter(), 0), UsageError);
  CHECK_THROWS_WITH(Trial(counter(), 1001), contains("1001 episodes"));
  CHECK_THROWS_WITH(Trial(make_environment({.horizon = 1'000'000}), 900), contains("steps together"));
  Trial trial(counter(), 2);
  Stream stream = test_stream(1);
  Eigen::VectorXf o(5), small(4);
  CHECK_THROWS_WITH(trial.step(numbers({0}), stream, o), contains("without a reset"));
  trial.set_task(Eigen::VectorXd::Constant(1, 2));
  CHECK_THROWS_WITH(trial.reset(stream, small), contains("observation of 4 entries, expected 5"));
  trial.reset(stream, o);
  CHECK_THROWS_WITH(trial.step(numbers({0}), stream, small), contains("expected 5"));
  trial.set_task(Eigen::VectorXd::Constant(1, 2));
  CHECK_THROWS_WITH(trial.step(numbers({0}), stream, o), contains("without a reset"));
}

// Of every environment of the table: its episodes, one after the other from one stream, are the trial's.
TEST_CASE("the episodes of a trial are those of the environment itself, of every environment", "[trial]") {
  const auto name = GENERATE(from_range(environment_names()));
  const EnvironmentConfig config{.name = name, .horizon = 15};
  const auto alone = make_environment(config);
  Trial trial(make_environment(config), 3);
  Stream task_stream = test_stream(4);
  const auto task = alone->sample_task(task_stream);
  alone->set_task(task);
  trial.set_task(task);
  CHECK(trial.task_text(task) == alone->task_text(task));
  CHECK(trial.finite_tasks() == alone->finite_tasks());
  const auto size = alone->spec().observation_size;
  const auto actor = random_actor(alone->spec());
  Stream stream = test_stream(1), same = test_stream(1), acting = test_stream(2);
  Eigen::VectorXf o(trial.spec().observation_size), expected(size);
  trial.reset(stream, o);
  for (int episode = 0; episode < 3; ++episode) {
    alone->reset(same, expected);
    CHECK(o.head(size) == expected);
    bool over = false;
    for (int step = 0; !over; ++step) {
      const auto action = actor(expected, acting);
      const auto found = trial.step(action, stream, o);
      const auto wanted = alone->step(action, same, expected);
      over = wanted.terminated || step == 14;
      REQUIRE(found.reward == wanted.reward);
      REQUIRE(found.success == wanted.success);
      REQUIRE(begins_episode(o) == over);
      REQUIRE(found.terminated == (over && episode == 2));
      if (!over) REQUIRE(o.head(size) == expected);
    }
  }
}

TEST_CASE("a trial has the training reward of its environment, also where an episode ends", "[trial]") {
  const auto make = [] { return make_environment({.name = "point_robot_sparse", .horizon = 2}); };
  Trial trial(make(), 2);
  const auto alone = make();
  REQUIRE(training_reward(trial) == &trial);
  CHECK(training_reward(Trial(make_environment({}), 2)) == nullptr);
  Stream stream = test_stream(1), same = test_stream(1);
  const auto task = alone->sample_task(stream);
  alone->sample_task(same);
  alone->set_task(task);
  trial.set_task(task);
  Eigen::VectorXf o(trial.spec().observation_size), alone_o(2);
  trial.reset(stream, o);
  for (int step = 0; step < 4; ++step) {
    if (step % 2 == 0) alone->reset(same, alone_o);
    trial.step(numbers({1, 0.5}), stream, o);
    alone->step(numbers({1, 0.5}), same, alone_o);
    CHECK(trial.training_reward() == training_reward(*alone)->training_reward());
    CHECK(trial.training_reward() != 0);
  }
}

TEST_CASE("companions of a trial play the same trials", "[trial]") {
  const EnvironmentConfig config{.name = "half_cheetah_direction_rllab", .horizon = 4};
  Trial trial(make_environment(config), 2);
  const auto companion = trial.companion();
  REQUIRE(companion != nullptr);
  CHECK(Trial(make_environment({}), 2).companion() == nullptr);
  const auto actor = random_actor(trial.spec());
  for (auto* one : std::initializer_list<Environment*>{&trial, companion.get()})
    one->set_task(Eigen::VectorXd::Ones(1));
  CHECK(play(trial, actor, test_stream(1), test_stream(2)) ==
        play(*companion, actor, test_stream(1), test_stream(2)));
}

}  // namespace
}  // namespace innerloop
