#include "meta/policy/training_tasks.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/thread_pool.h"
#include "envs/registry.h"
#include "meta/algorithms/registry.h"
#include "meta/executor.h"
#include "meta/policy/policy_learner.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

PolicyMetaConfig directions(int64_t tasks, bool balanced) {
  PolicyMetaConfig config;
  config.environment.name = "half_cheetah_direction_rllab";
  config.meta_batch_size = tasks;
  config.sampler.balanced_tasks = balanced;
  config.seed = 4;
  return config;
}

std::vector<double> drawn(const PolicyMetaConfig& config, int64_t iteration) {
  std::vector<double> out;
  for (const auto& task : training_tasks(config, *make_environment(config.environment), iteration))
    out.push_back(task[0]);
  return out;
}

int64_t forwards(const std::vector<double>& tasks) { return std::count(tasks.begin(), tasks.end(), 1.0); }

}  // namespace

TEST_CASE("balanced tasks come equally often in every meta-batch, and drawn ones do not", "[meta][rl]") {
  std::set<int64_t> shares;
  for (int64_t iteration = 0; iteration < 20; ++iteration) {
    const auto balanced = drawn(directions(10, true), iteration);
    REQUIRE(balanced.size() == 10);
    CHECK(forwards(balanced) == 5);
    const auto random = drawn(directions(10, false), iteration);
    REQUIRE(random.size() == 10);
    shares.insert(forwards(random));
  }
  CHECK(shares.size() > 2);
}

TEST_CASE("what balanced tasks leave of a meta-batch is drawn, anew in every iteration", "[meta][rl]") {
  std::set<double> last;
  for (int64_t iteration = 0; iteration < 20; ++iteration) {
    const auto tasks = drawn(directions(3, true), iteration);
    REQUIRE(tasks.size() == 3);
    CHECK(tasks[0] == -tasks[1]);
    CHECK(tasks == drawn(directions(3, true), iteration));
    last.insert(tasks[2]);
  }
  CHECK(last == std::set<double>{-1, 1});
}

TEST_CASE("balanced tasks are refused where they cannot be meant, by every learner of policies",
          "[meta][rl]") {
  ThreadPool pool(1, Executor::prepare_thread);
  const auto refusal = [&](const std::string& algorithm, PolicyMetaConfig config) {
    if (algorithm == "rl2") config.policy.name = "gaussian_gru";
    apply_algorithm(algorithm, config);
    config.optimizer.name = "adam";
    return [=, &pool] { make_policy_learner(config, find_algorithm(algorithm), pool); };
  };
  for (const std::string algorithm : {"maml", "es_maml", "rl2"}) {
    INFO(algorithm);
    PolicyMetaConfig endless = directions(10, true);
    endless.environment.name = "half_cheetah_velocity_rllab";
    CHECK_THROWS_WITH(refusal(algorithm, endless)(),
                      contains("sampler.balanced_tasks") && contains("half_cheetah_velocity_rllab"));
    CHECK_THROWS_WITH(refusal(algorithm, directions(1, true))(),
                      contains("meta.batch_size: 1 found, expected 2 or more"));
    CHECK_NOTHROW(refusal(algorithm, directions(2, true))());
  }
}
