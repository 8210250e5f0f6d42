#include "sampling/sampler.h"

#include <cmath>
#include <optional>
#include <set>

#include "envs/registry.h"
#include "sampling/advantages.h"
#include "tests/catch.h"
#include "tests/sampling/fixtures.h"

namespace innerloop {
namespace {

using namespace testing;

// a = (0, 1).
class GoesUp : public NoisyGain {
 public:
  explicit GoesUp(Eigen::Index observations) : NoisyGain(0, observations, 2) {}
  void act(const Eigen::Ref<const Eigen::MatrixXf>&, Stream* const*, Workspace&,
           Eigen::Ref<Eigen::MatrixXf> actions) const override {
    actions.row(0).setZero();
    actions.row(1).setOnes();
  }
};

TEST_CASE("every trajectory is what its environment, alone with its streams, gives", "[sampler]") {
  ThreadPool pool(2);
  Sampler sampler(make_walk, pool);
  const auto tasks = drifts({0.1, -0.2});
  const NoisyGain first(0.5f), second(-0.5f);
  const std::vector<const ActionSampler*> policies{&first, &second};
  const int64_t per_task = 2 * Sampler::kBlock + 3;  // three blocks, the last one short
  const bool evaluation = GENERATE(false, true);
  const SampleKey key{.seed = 11, .iteration = 5, .step = 2, .evaluation = evaluation, .first_task = 40};
  const auto all = sampler.sample(tasks, policies, per_task, key);
  CHECK(all.tasks() == 2);
  CHECK(all.per_task() == per_task);
  CHECK(all.horizon() == 6);

  std::set<int64_t> lengths;
  int64_t steps = 0;
  for (int64_t t = 0; t < 2; ++t) {
    const auto& policy = *policies[static_cast<size_t>(t)];
    const auto workspace = policy.workspace(1);
    int64_t task_steps = 0;
    for (int64_t n = 0; n < per_task; ++n) {
      StreamKey stream_key{.seed = 11,
                           .purpose = evaluation ? Purpose::kEvaluationEnvironment : Purpose::kEnvironment,
                           .iteration = 5,
                           .task = static_cast<uint64_t>(40 + t),
                           .trajectory = static_cast<uint64_t>(n),
                           .step = 2};
      Stream environment_stream(stream_key);
      stream_key.purpose = evaluation ? Purpose::kEvaluationAction : Purpose::kAction;
      Stream action_stream(stream_key);
      Stream* streams[] = {&action_stream};

      Walk walk;
      walk.set_task(tasks[static_cast<size_t>(t)]);
      Eigen::VectorXf o(2);
      Eigen::MatrixXf a(1, 1);
      walk.reset(environment_stream, o);
      double total = 0;
      bool success = false;
      int64_t length = 0;
      for (bool done = false; !done && length < 6; ++length) {
        policy.act(o, streams, *workspace, a);
        REQUIRE(all.observations(t, n).col(length) == o);
        REQUIRE(all.actions(t, n)(0, length) == a(0, 0));
        const auto result = walk.step(a.col(0), environment_stream, o);
        REQUIRE(all.rewards(t, n)[length] == static_cast<float>(result.reward));
        total += static_cast<double>(static_cast<float>(result.reward));
        success = success || result.success;
        done = result.terminated;
      }
      REQUIRE(all.length(t, n) == length);
      REQUIRE(all.success(t, n) == success);
      REQUIRE(all.undiscounted_return(t, n) == Approx(total));
      lengths.insert(length);
      task_steps += length;
    }
    CHECK(all.steps(t) == task_steps);
    steps += task_steps;
  }
  CHECK(all.total_steps() == steps);
  CHECK(lengths == std::set<int64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("the same bits for 1, 2 and 7 threads, in a walk and in 2D navigation", "[sampler]") {
  const bool walk = GENERATE(true, false);
  const auto make = [&] { return walk ? make_walk() : make_environment({}); };
  const NoisyGain policy(0.5f, 2, walk ? 1 : 2);
  std::vector<Eigen::VectorXd> tasks;
  for (uint64_t t = 0; t < 5; ++t) {
    Stream stream({.seed = 2, .purpose = Purpose::kTask, .task = t});
    tasks.push_back(make()->sample_task(stream));
  }
  std::vector<std::vector<double>> found;
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    Sampler sampler(make, pool);
    for (int repetition = 0; repetition < 2; ++repetition) {  // also with environments that have been used
      auto x = sampler.sample(tasks, {&policy}, 33, {.seed = 3});
      std::vector<double> numbers;
      for (int64_t t = 0; t < x.tasks(); ++t) {
        const auto part = all_numbers(x, t, /*whole=*/true);
        numbers.insert(numbers.end(), part.begin(), part.end());
      }
      found.push_back(numbers);
    }
  }
  for (const auto& numbers : found) CHECK(numbers == found.front());
  CHECK(std::set<double>(found.front().begin(), found.front().end()).size() > 500);
}

TEST_CASE(
    "what a task's trajectories are does not depend on the other tasks, nor on how many trajectories there "
    "are",
    "[sampler]") {
  ThreadPool pool(2);
  Sampler sampler(make_walk, pool);
  const NoisyGain policy(0.5f);
  auto two = sampler.sample(drifts({0.1, 0.2}), {&policy}, 25, {.seed = 3});
  auto three = sampler.sample(drifts({0.1, 0.2, 0.3}), {&policy}, 25, {.seed = 3});
  CHECK(all_numbers(two, 0) == all_numbers(three, 0));
  CHECK(all_numbers(two, 1) == all_numbers(three, 1));
  auto last = sampler.sample(drifts({0.3}), {&policy}, 25, {.seed = 3, .first_task = 2});  // a batch in parts
  CHECK(all_numbers(last, 0) == all_numbers(three, 2));
  auto fewer = sampler.sample(drifts({0.1}), {&policy}, 7, {.seed = 3});
  for (int64_t n = 0; n < 7; ++n) CHECK(fewer.observations(0, n) == two.observations(0, n));
}

TEST_CASE("streams differ between seeds, iterations, inner steps, tasks, trajectories and for evaluation",
          "[sampler]") {
  ThreadPool pool(1);
  Sampler sampler(make_walk, pool);
  const NoisyGain policy(0.5f);

  std::set<float> starts, first_actions;
  const SampleKey base{.seed = 3, .iteration = 4, .step = 1};
  auto seed = base, iteration = base, step = base, evaluation = base;
  seed.seed = 4;
  iteration.iteration = 5;
  step.step = 2;
  evaluation.evaluation = true;
  size_t count = 0;
  for (const auto& key : {base, seed, iteration, step, evaluation}) {
    const auto x = sampler.sample(drifts({0, 0}), {&policy}, 4, key);
    for (int64_t t = 0; t < 2; ++t) {
      for (int64_t n = 0; n < 4; ++n, ++count) {
        starts.insert(x.observations(t, n)(0, 0));
        first_actions.insert(x.actions(t, n)(0, 0) - 0.5f * x.observations(t, n)(0, 0));
      }
    }
  }
  CHECK(starts.size() == count);
  CHECK(first_actions.size() == count);
}

TEST_CASE("a failure names environment, task, trajectory and step, the same for any number of threads",
          "[sampler]") {
  const auto [failure, message] =
      GENERATE(std::pair<int, std::string>{Walk::kThrows, "step 2: the ground gave way"},
               std::pair<int, std::string>{Walk::kObservation, "step 2: observation is not finite"},
               std::pair<int, std::string>{Walk::kReward, "step 2: reward is not finite (nan)"},
               std::pair<int, std::string>{Walk::kReset, "at reset: observation is not finite"});
  auto tasks = drifts({0.1, 0.2, 0.3, 0.4});
  tasks[1][1] = failure;
  tasks[3][1] = failure;
  const NoisyGain policy(0.5f);
  std::set<std::string> messages;
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    Sampler sampler(make_walk, pool);
    try {
      sampler.sample(tasks, {&policy}, 40, {.seed = 3, .first_task = 10});
    } catch (const Error& error) {
      messages.insert(error.what());
    }
    // The next call is not affected.
    CHECK(sampler.sample(drifts({0.1}), {&policy}, 3, {}).total_steps() > 0);
  }
  REQUIRE(messages.size() == 1);
  CHECK_THAT(*messages.begin(), StartsWith("environment walk, task 11, trajectory "));
  CHECK_THAT(*messages.begin(), contains(message));
}

TEST_CASE("an accident ends its episode alone and is on record, the same for any number of threads",
          "[sampler]") {
  auto tasks = drifts({0.1, 0.2, 0.3, 0.4});
  const NoisyGain policy(0.5f);
  const SampleKey key{.seed = 3, .step = 1, .first_task = 10};
  ThreadPool one(1);
  const auto undisturbed = Sampler(make_walk, one).sample(tasks, {&policy}, 40, key);
  CHECK(undisturbed.failures().empty());
  tasks[3][1] = tasks[1][1] = Walk::kAccident;
  std::vector<EpisodeFailure> expected;
  for (const int64_t t : {1, 3}) {
    for (int64_t n = 0; n < 40; ++n) {
      if (undisturbed.length(t, n) >= 3)
        expected.push_back({static_cast<uint64_t>(10 + t), 1, n, 2, "a leg broke"});
    }
  }
  REQUIRE(expected.size() > 20);
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    Sampler sampler(make_walk, pool);
    for (int again = 0; again < 2; ++again) {
      const auto seen = sampler.sample(tasks, {&policy}, 40, key);
      CHECK(seen.failures() == expected);
      for (int64_t t = 0; t < 4; ++t) {
        for (int64_t n = 0; n < 40; ++n) {
          const int64_t whole = undisturbed.length(t, n);
          REQUIRE(seen.length(t, n) == (t % 2 == 1 ? std::min<int64_t>(3, whole) : whole));
          REQUIRE(seen.rewards(t, n) == undisturbed.rewards(t, n).head(seen.length(t, n)));
        }
      }
    }
  }
  CHECK(expected[0].text() ==
        concat("inner step 1, task 11, trajectory ", expected[0].trajectory, ", step 2: a leg broke"));
}

TEST_CASE("an action that is not finite is an error, not a step", "[sampler]") {
  ThreadPool pool(1);
  Sampler sampler(make_walk, pool);
  const NoisyGain policy(std::numeric_limits<float>::quiet_NaN());
  CHECK_THROWS_WITH(sampler.sample(drifts({0.1}), {&policy}, 1, {}),
                    contains("environment walk, task 0, trajectory 0, step 0: action is not finite (nan)"));
}

TEST_CASE("what does not fit is refused before anything runs", "[sampler]") {
  ThreadPool pool(1);
  Sampler sampler(make_walk, pool);
  const NoisyGain policy(0.5f), wide(0.5f, 3), two(0.5f, 2, 2);
  CHECK_THROWS_WITH(sampler.sample({}, {&policy}, 1, {}), contains("0 tasks"));
  CHECK_THROWS_WITH(sampler.sample(drifts({1}), {&policy}, 0, {}), contains("0 trajectories per task"));
  CHECK_THROWS_WITH(sampler.sample(drifts({1, 2, 3}), {&policy, &policy}, 1, {}),
                    contains("2 policies for 3 tasks"));
  CHECK_THROWS_WITH(sampler.sample({Eigen::VectorXd::Zero(3)}, {&policy}, 1, {}),
                    contains("task 0 has 3 numbers, expected 2 (drift, failure)"));
  CHECK_THROWS_WITH(sampler.sample(drifts({1}), {&wide}, 1, {}), contains("takes observations of 3"));
  CHECK_THROWS_WITH(sampler.sample(drifts({1}), {&two}, 1, {}), contains("actions of 2 numbers"));
}

TEST_CASE("the workspace is the policy's of this call, also when one follows another at the same address",
          "[sampler]") {
  struct Owner : NoisyGain {
    struct Mark : Workspace {
      const Owner* owner = nullptr;
      int made = 0;
    };
    explicit Owner(int made) : NoisyGain(0.5f), made_(made) {}
    std::unique_ptr<Workspace> workspace(Eigen::Index) const override {
      auto mark = std::make_unique<Mark>();
      mark->owner = this;
      mark->made = made_;
      return mark;
    }
    void act(const Eigen::Ref<const Eigen::MatrixXf>& o, Stream* const* streams, Workspace& workspace,
             Eigen::Ref<Eigen::MatrixXf> actions) const override {
      const auto& mark = dynamic_cast<const Mark&>(workspace);
      require(mark.owner == this && mark.made == made_, "a foreign workspace");
      NoisyGain::act(o, streams, workspace, actions);
    }
    int made_;
  };
  ThreadPool pool(2);
  Sampler sampler(make_walk, pool);
  std::optional<Owner> policy;
  for (int made = 0; made < 3; ++made) {
    policy.emplace(made);
    CHECK_NOTHROW(sampler.sample(drifts({1, 2}), {&*policy}, 30, {}));
  }
}

TEST_CASE("a training reward is recorded beside the task's own, for advantages that ask for it",
          "[sampler]") {
  const bool observe_task = GENERATE(false, true);
  ThreadPool pool(2);
  Sampler sampler(
      [&] { return make_environment({.name = "point_robot_sparse", .observe_task = observe_task}); }, pool);
  const Eigen::Vector2d goal(0, 1);
  const GoesUp up(sampler.spec().observation_size);
  const auto all = sampler.sample({goal}, {&up}, 3, {.seed = 1});
  for (int64_t n = 0; n < 3; ++n) {
    const auto own = all.rewards(0, n), training = all.rewards(0, n, RewardKind::kTraining);
    REQUIRE(own.size() == 20);
    for (int64_t s = 0; s < 20; ++s) {
      const double d = std::abs(1 - 0.1 * static_cast<double>(s + 1));
      CHECK(training[s] == Approx(-d).margin(1e-6));
      if (std::abs(d - 0.2) > 1e-6) CHECK(own[s] == Approx(d < 0.2 ? 1 - d : 0).margin(1e-6));
    }
    CHECK(all.undiscounted_return(0, n, RewardKind::kTraining) == Approx(training.cast<double>().sum()));
    CHECK(all.undiscounted_return(0, n) == Approx(own.cast<double>().sum()));
  }
  const AdvantageConfig plain{.standardize = false};
  CHECK(advantages(all, 0, plain).values != advantages(all, 0, plain, RewardKind::kTraining).values);
  // Where an environment has no other reward, the task's own serves both.
  Sampler walks(make_walk, pool);
  const NoisyGain policy(0.5f);
  auto walked = walks.sample(drifts({0.1}), {&policy}, 2, {.seed = 1});
  CHECK(walked.rewards(0, 1, RewardKind::kTraining).data() == walked.rewards(0, 1).data());
  CHECK_THROWS_WITH(walked.training_reward_buffer(0, 0), contains("without room"));
}

TEST_CASE("trajectories of no tasks, no steps or no numbers are refused", "[trajectories]") {
  CHECK_THROWS_AS(Trajectories(0, 1, 1, 1, 1), Error);
  CHECK_THROWS_AS(Trajectories(1, 0, 1, 1, 1), Error);
  CHECK_THROWS_AS(Trajectories(1, 1, 0, 1, 1), Error);
  CHECK_THROWS_AS(Trajectories(1, 1, 1, 0, 1), Error);
  CHECK_THROWS_AS(Trajectories(1, 1, 1, 1, 0), Error);
}

}  // namespace
}  // namespace innerloop
