// What every registered environment promises; a new one is tested by being in the table.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "envs/planar.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

std::unique_ptr<Environment> make(const std::string& name, bool observe_task) {
  return make_environment({.name = name, .observe_task = observe_task});
}

Eigen::VectorXd task_of(const Environment& environment, uint64_t seed) {
  Stream stream = test_stream(seed, 0, Purpose::kTask);
  return environment.sample_task(stream);
}

// The first seed after `seed` whose task is another one: where tasks are few, neighbours may be the same.
uint64_t other_task_seed(const Environment& environment, uint64_t seed) {
  uint64_t other = seed + 1;
  while (task_of(environment, other) == task_of(environment, seed)) ++other;
  REQUIRE(other < seed + 100);
  return other;
}

void declares_itself(const std::string& name) {
  const bool observe_task = GENERATE(false, true);
  CAPTURE(observe_task);
  const auto environment = make(name, observe_task);
  const auto& spec = environment->spec();
  CHECK(spec.name == name);
  CHECK_FALSE(spec.description.empty());
  CHECK(spec.description.find('\n') == std::string::npos);
  CHECK(spec.observation_size > 0);
  CHECK(spec.action_size > 0);
  CHECK(spec.horizon > 0);
  CHECK(spec.task_size() > 0);
  CHECK(spec.step_seconds > 0);
  CHECK(task_of(*environment, 1).size() == spec.task_size());
  CHECK(task_of(*environment, 1).allFinite());
}

void stays_finite(const std::string& name) {
  const bool observe_task = GENERATE(false, true);
  CAPTURE(observe_task);
  const auto environment = make(name, observe_task);
  const auto& spec = environment->spec();
  bool any_motion = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto episode = play_random(*environment, seed, seed);
    REQUIRE(episode.rewards.size() >= 1);
    if (!episode.terminated) REQUIRE(static_cast<int64_t>(episode.rewards.size()) == spec.horizon);
    for (const auto& observation : episode.observations) REQUIRE(observation.allFinite());
    for (const double reward : episode.rewards) REQUIRE(std::isfinite(reward));
    for (const double reward : episode.training_rewards) REQUIRE(std::isfinite(reward));
    any_motion |= episode.observations.front() != episode.observations.back();
    if (!spec.defines_success) {
      for (const bool success : episode.successes) REQUIRE_FALSE(success);
    }
  }
  CHECK(any_motion);
}

void repeats(const std::string& name) {
  const bool observe_task = GENERATE(false, true);
  CAPTURE(observe_task);
  const auto fresh = make(name, observe_task);
  const auto used = make(name, observe_task);
  for (uint64_t seed = 0; seed < 10; ++seed) {
    play_random(*used, seed + 100, seed + 200);
    Stream cut = test_stream(seed + 300);  // an episode left after its first steps
    Eigen::VectorXf observation(used->spec().observation_size);
    used->reset(cut, observation);
    for (int t = 0; t < 3; ++t) used->step(random_actor(used->spec())(observation, cut), cut, observation);
    REQUIRE(play_random(*used, seed, seed) == play_random(*make(name, observe_task), seed, seed));
    REQUIRE(play_random(*used, seed, seed) == play_random(*fresh, seed, seed));
  }
}

void plays_in_company(const std::string& name) {
  const bool observe_task = GENERATE(false, true);
  CAPTURE(observe_task);
  std::vector<std::unique_ptr<Environment>> companions;
  companions.push_back(make(name, observe_task));
  for (int i = 0; i < 2; ++i) {
    companions.push_back(companions.front()->companion());
    // Those that share nothing say so; a half-cheetah shares its mjData.
    if (companions.back() == nullptr) {
      CHECK_FALSE(contains("half_cheetah").match(name));
      return;
    }
  }
  struct Alone {
    std::unique_ptr<Environment> environment;
    Stream stream, action_stream;
    Eigen::VectorXf observation, theirs;
    bool running = true;
  };
  const auto& spec = companions.front()->spec();
  const auto actor = random_actor(spec);
  std::vector<Alone> alone;
  std::vector<Stream> streams;
  for (uint64_t i = 0; i < companions.size(); ++i) {
    const Eigen::VectorXf room(spec.observation_size);
    alone.push_back({make(name, observe_task), test_stream(i, 0), test_stream(i, 1), room, room});
    streams.push_back(test_stream(i, 0));
    alone[i].environment->set_task(task_of(*alone[i].environment, i));
    alone[i].environment->reset(alone[i].stream, alone[i].observation);
    companions[i]->set_task(task_of(*companions[i], i));
    companions[i]->reset(streams[i], alone[i].theirs);
    REQUIRE(alone[i].theirs == alone[i].observation);
  }
  for (int64_t t = 0; t < spec.horizon; ++t) {
    for (size_t i = 0; i < companions.size(); ++i) {
      auto& one = alone[i];
      if (!one.running) continue;
      const Eigen::VectorXf action = actor(one.observation, one.action_stream);
      const auto result = one.environment->step(action, one.stream, one.observation);
      const auto theirs = companions[i]->step(action, streams[i], one.theirs);
      REQUIRE(theirs.reward == result.reward);
      REQUIRE(theirs.terminated == result.terminated);
      REQUIRE(one.theirs == one.observation);
      one.running = !result.terminated;
    }
  }
  // A companion made in the midst of an episode goes on from there.
  companions[0]->reset(streams[0], alone[0].theirs);
  const Eigen::VectorXf push = Eigen::VectorXf::Constant(spec.action_entries(), 0.5F);
  companions[0]->step(push, streams[0], alone[0].theirs);
  const auto copy = companions[0]->companion();
  Stream stream = streams[0];
  companions[1]->reset(streams[1], alone[1].theirs);
  companions[0]->step(push, streams[0], alone[0].theirs);
  companions[1]->step(push, streams[1], alone[1].theirs);
  copy->step(push, stream, alone[1].theirs);
  CHECK(alone[1].theirs == alone[0].theirs);
}

void differs(const std::string& name) {
  const auto environment = make(name, false);
  CHECK(task_of(*environment, 1) == task_of(*environment, 1));
  bool any_rewarded_differently = false;  // a sparse reward may be 0 for both tasks
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto episode = play_random(*environment, seed, seed);
    CHECK(play_random(*environment, seed, seed + 1000) != episode);
    const auto other = play_random(*environment, other_task_seed(*environment, seed), seed);
    any_rewarded_differently |=
        other.rewards != episode.rewards || other.training_rewards != episode.training_rewards;
  }
  CHECK(any_rewarded_differently);
}

void keeps_its_task(const std::string& name) {
  const auto environment = make(name, false);
  const auto actor = random_actor(environment->spec());
  const auto again = [&](uint64_t seed) {
    return play(*environment, actor, test_stream(seed), test_stream(seed, 1));
  };
  environment->set_task(task_of(*environment, 1));
  const auto first = again(7);
  std::vector<Episode> played;
  for (uint64_t seed = 100; seed < 150; ++seed) played.push_back(again(seed));
  CHECK(again(7) == first);
  environment->set_task(task_of(*environment, 1));
  for (uint64_t seed = 150; seed-- > 100;) REQUIRE(again(seed) == played[seed - 100]);  // in the other order
  environment->set_task(task_of(*environment, other_task_seed(*environment, 1)));
  again(7);
  environment->set_task(task_of(*environment, 1));
  CHECK(again(7) == first);
}

void shows_its_task(const std::string& name) {
  const auto plain = make(name, false);
  const auto oracle = make(name, true);
  const auto size = plain->spec().observation_size;
  const auto task_size = plain->spec().task_size();
  REQUIRE(oracle->spec().observation_size == size + task_size);
  REQUIRE(oracle->spec().task_parameters == plain->spec().task_parameters);
  REQUIRE(oracle->spec().horizon == plain->spec().horizon);
  const auto seen = play_random(*oracle, 3, 4);
  const auto unseen = play_random(*plain, 3, 4);
  REQUIRE(seen.rewards == unseen.rewards);
  REQUIRE(seen.training_rewards == unseen.training_rewards);
  REQUIRE(seen.observations.size() == unseen.observations.size());
  const Eigen::VectorXf task = task_of(*plain, 3).cast<float>();
  for (size_t t = 0; t < seen.observations.size(); ++t) {
    REQUIRE(seen.observations[t].head(size) == unseen.observations[t]);
    REQUIRE(seen.observations[t].tail(task_size) == task);
  }
}

void takes_its_horizon(const std::string& name) {
  const bool observe_task = GENERATE(false, true);
  CAPTURE(observe_task);
  const auto own = make(name, observe_task)->spec().horizon;
  const auto shortened = make_environment({.name = name, .horizon = own + 7, .observe_task = observe_task});
  CHECK(shortened->spec().horizon == own + 7);
}

void refuses(const std::string& name) {
  const bool observe_task = GENERATE(false, true);
  CAPTURE(observe_task);
  const auto environment = make(name, observe_task);
  const auto& spec = environment->spec();
  Stream stream = test_stream(1);
  Eigen::VectorXf observation(spec.observation_size);
  Eigen::VectorXf action = Eigen::VectorXf::Zero(spec.action_entries());

  CHECK_THROWS_WITH(environment->reset(stream, observation), contains(name) && contains("set_task"));
  CHECK_THROWS_WITH(environment->step(action, stream, observation), contains(name) && contains("reset"));

  const Eigen::VectorXd task = task_of(*environment, 1);
  Eigen::VectorXd long_task(task.size() + 1);
  long_task << task, 0;
  CHECK_THROWS_WITH(environment->set_task(long_task),
                    contains(name) && contains(concat(task.size() + 1)) && contains(concat(task.size())));
  CHECK_THROWS_AS(environment->set_task(task.head(task.size() - 1)), Error);
  Eigen::VectorXd infinite = task;
  infinite[task.size() - 1] = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(environment->set_task(infinite), contains("finite"));

  environment->set_task(task);
  CHECK_THROWS_WITH(environment->step(action, stream, observation), contains("reset"));
  Eigen::VectorXf small(spec.observation_size - 1), large(spec.observation_size + 1);
  CHECK_THROWS_WITH(environment->reset(stream, small), contains(name) && contains("observation"));
  environment->reset(stream, observation);
  CHECK_THROWS_WITH(environment->step(action, stream, large), contains(name) && contains("observation"));
  const Eigen::VectorXf wide = Eigen::VectorXf::Zero(spec.action_entries() + 1);
  CHECK_THROWS_WITH(
      environment->step(wide, stream, observation),
      contains(name) && contains("action") && contains(concat("expected ", spec.action_entries())));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    action[spec.action_entries() - 1] = bad;
    CHECK_THROWS_WITH(environment->step(action, stream, observation), contains("not finite"));
  }
  if (spec.action_kind == ActionKind::kDiscrete) {
    for (const float bad : {-1.0f, 0.5f, static_cast<float>(spec.action_size)}) {
      action[0] = bad;
      CHECK_THROWS_WITH(environment->step(action, stream, observation),
                        contains(name) && contains(concat(spec.action_size - 1)));
    }
  }
  action.setZero();
  CHECK_NOTHROW(environment->step(action, stream, observation));  // and is none the worse for it
  environment->set_task(task);
  CHECK_THROWS_WITH(environment->step(action, stream, observation), contains("reset"));
}

// What films and tables ask. A scene that is wrong looks wrong; here it must only exist.
void draws(const std::string& name) {
  const auto environment = make(name, false);
  const auto& spec = environment->spec();
  const auto names_fit = [](const std::vector<std::string>& names, int64_t entries) {
    return names.empty() || static_cast<int64_t>(names.size()) == entries;
  };
  CHECK(names_fit(spec.observation_names, spec.observation_size));
  CHECK(names_fit(spec.action_names, spec.action_entries()));
  CHECK(names_fit(make(name, true)->spec().observation_names, make(name, true)->spec().observation_size));

  const Eigen::VectorXd task = task_of(*environment, 1);
  CHECK_FALSE(environment->task_text(task).empty());
  CHECK(environment->task_text(task).find('\n') == std::string::npos);
  CHECK(make(name, true)->task_text(task) == environment->task_text(task));
  const auto all = environment->finite_tasks();
  for (uint64_t seed = 0; seed < 50 && !all.empty(); ++seed)
    CHECK(std::count(all.begin(), all.end(), task_of(*environment, seed)) == 1);

  const Planar* drawn = planar(*environment);
  REQUIRE((planar(*make(name, true)) != nullptr) == (drawn != nullptr));
  if (drawn == nullptr) return;
  CHECK_THROWS_WITH(drawn->scene(), contains(name) && contains("set_task"));
  play_random(*environment, 1, 2);
  const PlanarScene scene = drawn->scene();
  CHECK_FALSE(scene.arena.isEmpty());
  CHECK(scene.arena.sizes().minCoeff() > 0);
  const PlanarPose pose = drawn->pose();
  CHECK(pose.position.allFinite());
  for (const auto& shape : pose.body) CHECK_FALSE(shape.points.empty());
}

struct Claim {
  const char* text;
  void (*check)(const std::string& name);
};
const Claim kClaims[] = {
    {"it declares what it is", declares_itself},
    {"it yields finite values of the declared size up to its horizon", stays_finite},
    {"it repeats an episode from the same streams, whatever it did before", repeats},
    {"companions that are stepped in turn each play as if alone", plays_in_company},
    {"its tasks differ, and so do streams", differs},
    {"a task holds over resets until the next one is set", keeps_its_task},
    {"it shows the task when asked, and nothing else changes", shows_its_task},
    {"it takes its horizon from the configuration", takes_its_horizon},
    {"it refuses what does not fit", refuses},
    {"it can be drawn, and its tasks have words", draws},
};

const std::string kPrefix = "contract: ";

// One test case for every environment, whose name it carries: ctest -R "contract.*cart_1d" runs that one.
void contract() {
  const std::string name = current_test_name().substr(kPrefix.size());
  for (const auto& claim : kClaims) {
    DYNAMIC_SECTION(claim.text) { claim.check(name); }
  }
}

const size_t kCases = [] {
  const auto names = environment_names();
  for (const auto& name : names) {
    const std::string test = kPrefix + name;
    REGISTER_TEST_CASE(contract, test.c_str(), "[envs][contract]");
  }
  return names.size();
}();

}  // namespace

TEST_CASE("every environment has its contract tested", "[envs]") {
  CHECK(kCases == environment_names().size());
  CHECK(kCases > 0);
}

TEST_CASE("environment names are unique", "[envs]") {
  const auto names = environment_names();
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}

TEST_CASE("an unknown environment is refused with the names that exist", "[envs]") {
  CHECK_THROWS_AS(make_environment({.name = "navigation2d"}), UsageError);
  CHECK_THROWS_WITH(make_environment({.name = "navigation2d"}),
                    contains("'navigation2d'") && contains("did you mean 'navigation_2d'?") &&
                        contains("navigation_2d_walls"));
  CHECK_THROWS_AS(make_environment({.name = ""}), UsageError);
}

TEST_CASE("a negative horizon is refused", "[envs]") {
  CHECK_THROWS_AS(make_environment({.name = "navigation_2d", .horizon = -1}), UsageError);
  CHECK_THROWS_WITH(make_environment({.name = "navigation_2d", .horizon = -1}), contains("horizon is -1"));
}

TEST_CASE("an action scale is taken where actions have one and refused elsewhere", "[envs]") {
  CHECK_THROWS_WITH(make_environment({.name = "navigation_2d", .own = {{"action_scale", 10}}}),
                    contains("navigation_2d") && contains("environment.action_scale") &&
                        contains("does not know this key"));
  CHECK_THROWS_AS(make_environment({.name = "half_cheetah_velocity_gym", .own = {{"action_scale", -1}}}),
                  UsageError);
  const auto first_reward = [](double scale, float action) {
    const auto environment =
        make_environment({.name = "half_cheetah_velocity_gym", .own = {{"action_scale", scale}}});
    environment->set_task(Eigen::VectorXd::Constant(1, 1));
    Stream stream = test_stream(1);
    Eigen::VectorXf observation(environment->spec().observation_size);
    environment->reset(stream, observation);
    return environment->step(Eigen::VectorXf::Constant(6, action), stream, observation).reward;
  };
  CHECK(first_reward(10, 5) == first_reward(0, .5f));
  CHECK(first_reward(10, 5) != first_reward(0, 5));
}
