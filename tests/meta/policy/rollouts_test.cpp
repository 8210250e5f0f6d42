#include "meta/policy/rollouts.h"

#include <cmath>

#include "envs/registry.h"
#include "meta/algorithms/registry.h"
#include "tests/torch_catch.h"

using namespace innerloop;

TEST_CASE("recorded steps say how a task's rewards stand among all tasks', whichever rewards are asked for",
          "[meta][rl]") {
  const auto kind = GENERATE(RewardKind::kTask, RewardKind::kTraining);
  const EnvironmentConfig environment{.name = "point_robot_sparse", .own = {{"goal_radius", "0.9"}}};
  ThreadPool pool(2, Executor::prepare_thread);
  const Executor executor(pool);
  Sampler sampler([&] { return make_environment(environment); }, pool);
  const auto policy = make_policy({.hidden = {4}}, sampler.spec());
  const auto method = find_algorithm("maml").policy_method(
      {}, {.inner = {}, .initial = [&](Stream& stream) { return policy->initial(stream); }});
  Stream stream(StreamKey{3, Purpose::kTest});
  const Params meta = method->initial(stream);
  Rollouts rollouts(*policy, *method, sampler, executor, {}, InnerEstimator::kLogLikelihood);
  auto chunks = start_chunks(*method, meta, 3, {}, Keep::kAll);
  const std::vector<Eigen::VectorXd> tasks{Eigen::Vector2d(1, 0), Eigen::Vector2d(0, 1),
                                           Eigen::Vector2d(-1, 0)};
  const auto trajectories = rollouts.sample(tasks, chunks, 4, {.seed = 5});
  rollouts.record(trajectories, chunks, kind);

  std::vector<double> all, means;
  for (int64_t t = 0; t < 3; ++t) {
    double sum = 0, count = 0;
    for (int64_t n = 0; n < 4; ++n) {
      for (const float reward : trajectories.rewards(t, n, kind)) {
        all.push_back(reward);
        sum += reward;
        ++count;
      }
    }
    means.push_back(sum / count);
  }
  double mean = 0, variance = 0;
  for (const double reward : all) mean += reward / static_cast<double>(all.size());
  for (const double reward : all)
    variance += (reward - mean) * (reward - mean) / static_cast<double>(all.size());
  REQUIRE(variance > 1e-6);
  for (size_t t = 0; t < 3; ++t) {
    const double found = chunks[t].task->data(0).adjusted_reward.item<double>();
    CHECK(found == Approx((means[t] - mean) / std::sqrt(variance)).epsilon(1e-4).margin(1e-5));
  }
}
