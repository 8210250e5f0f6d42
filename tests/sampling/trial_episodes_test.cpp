#include "sampling/trial_episodes.h"

#include "envs/trial.h"
#include "tests/catch.h"
#include "tests/sampling/fixtures.h"

namespace innerloop {
namespace {

using namespace testing;

std::unique_ptr<Environment> make_walks() { return std::make_unique<Trial>(make_walk(), 4); }

TEST_CASE("split trials are the episodes, with their ends, rewards and successes", "[trials]") {
  ThreadPool pool(2);
  Sampler sampler(make_walks, pool);
  const NoisyGain policy(0.5f, 5);
  const auto trials = sampler.sample(drifts({0.1, -0.2}), {&policy}, 23, {.seed = 3});
  CHECK(trials.horizon() == 24);
  const EnvironmentSpec walk = make_walk()->spec();
  const auto episodes = split_episodes(trials, walk, 4);
  REQUIRE(episodes.size() == 4);
  int64_t successes = 0, cut = 0;
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t n = 0; n < 23; ++n) {
      int64_t at = 0;
      const auto bounds = episode_bounds(trials, t, n);
      REQUIRE(bounds.size() == 5);
      for (size_t k = 0; k < 4; ++k) {
        const auto& episode = episodes[k];
        const int64_t length = episode.length(t, n);
        REQUIRE(bounds[k] == at);
        REQUIRE(episode.horizon() == 6);
        REQUIRE(episode.observations(t, n) == trials.observations(t, n).block(0, at, 2, length));
        REQUIRE(episode.actions(t, n) == trials.actions(t, n).middleCols(at, length));
        REQUIRE(episode.rewards(t, n) == trials.rewards(t, n).segment(at, length));
        // The walk counts its steps, and where it stands after the last one is its reward.
        for (Eigen::Index s = 0; s < length; ++s)
          REQUIRE(episode.observations(t, n)(1, s) == static_cast<float>(s));
        bool success = false;
        for (const float reward : episode.rewards(t, n)) success = success || reward > 0;
        REQUIRE(episode.success(t, n) == success);
        successes += success ? 1 : 0;
        cut += length == 6 ? 1 : 0;
        at += length;
      }
      REQUIRE(at == trials.length(t, n));
    }
  }
  CHECK(successes > 20);
  CHECK(successes < 180);
  CHECK(cut > 20);
  CHECK_THROWS_WITH(split_episodes(trials, walk, 3), contains("has 4 episodes, expected 3"));
}

TEST_CASE("failures are told by episode and step within it", "[trials]") {
  ThreadPool pool(1);
  Sampler sampler(make_walks, pool);
  const NoisyGain policy(0.5f, 5);
  const auto trials = sampler.sample({Eigen::Vector2d(0.1, Walk::kAccident)}, {&policy}, 9, {.seed = 3});
  REQUIRE(trials.failures().size() > 9);
  const auto episodes = split_episodes(trials, make_walk()->spec(), 4);
  size_t count = 0;
  for (size_t k = 0; k < 4; ++k) {
    for (const auto& failure : episodes[k].failures()) {
      CHECK(failure.inner_step == k);
      CHECK(failure.step == 2);
      CHECK(episodes[k].length(0, failure.trajectory) == 3);
      ++count;
    }
  }
  CHECK(count == trials.failures().size());
}

// Acts by how often it has acted in the trajectory, and its first observation.
class Rememberer : public ActionSampler {
 public:
  Eigen::Index observation_size() const override { return 2; }
  Eigen::Index action_entries() const override { return 1; }
  std::unique_ptr<Workspace> workspace(Eigen::Index columns) const override {
    auto out = std::make_unique<Workspace>();
    out->memory = Eigen::MatrixXf::Constant(2, columns, -1);
    return out;
  }
  void begin(Workspace& workspace) const override { workspace.memory.setZero(); }
  void act(const Eigen::Ref<const Eigen::MatrixXf>& observations, Stream* const*, Workspace& workspace,
           Eigen::Ref<Eigen::MatrixXf> actions) const override {
    for (Eigen::Index b = 0; b < observations.cols(); ++b) {
      auto memory = workspace.memory.col(b);
      if (memory[0] == 0) memory[1] = observations(0, b);
      actions(0, b) = memory[0] + 100 * memory[1];
      memory[0] += 1;
    }
  }
};

TEST_CASE("the sampler keeps each trajectory's memory while others end, and begins each anew", "[sampler]") {
  ThreadPool pool(2);
  Sampler sampler(make_walk, pool);
  const Rememberer policy;
  for (int repetition = 0; repetition < 2; ++repetition) {
    const auto all = sampler.sample(drifts({0.1, -0.2, 0.3}), {&policy}, 17, {.seed = 3});
    for (int64_t t = 0; t < 3; ++t) {
      for (int64_t n = 0; n < 17; ++n) {
        const float first = all.observations(t, n)(0, 0);
        for (Eigen::Index s = 0; s < all.length(t, n); ++s)
          REQUIRE(all.actions(t, n)(0, s) == static_cast<float>(s) + 100 * first);
      }
    }
  }
}

TEST_CASE("one policy for all tasks gives each task the trajectories that a policy of its own gives",
          "[sampler]") {
  ThreadPool pool(2);
  Sampler sampler(make_walk, pool);
  const NoisyGain policy(0.5f);
  const auto tasks = drifts({0.1, 0.2, 0.3, 0.4, 0.5});
  auto one = sampler.sample(tasks, {&policy}, 7, {.seed = 3});
  auto each = sampler.sample(tasks, std::vector<const ActionSampler*>(5, &policy), 7, {.seed = 3});
  for (int64_t t = 0; t < 5; ++t) CHECK(all_numbers(one, t, true) == all_numbers(each, t, true));
  const std::vector<Eigen::VectorXd> failing{tasks[0], Eigen::Vector2d(0.1, Walk::kThrows)};
  CHECK_THROWS_WITH(sampler.sample(failing, {&policy}, 7, {.seed = 3, .first_task = 4}),
                    contains("task 5, trajectory") && contains("step 2") && contains("the ground gave way"));
}

}  // namespace
}  // namespace innerloop
