#include "envs/point_robot_sparse.h"

#include <cmath>

#include "base/error.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

const Eigen::Vector2d kGoal(0.71, 0.7041);

// Walks to the goal, by up to 0.1 m along each axis.
Eigen::VectorXf towards_goal(const Eigen::VectorXf& at, Stream&) {
  return 10 * (kGoal.cast<float>() - at).cwiseMax(-0.1f).cwiseMin(0.1f);
}

Episode walk(const Texts& own) {
  const auto environment = make_environment({.name = "point_robot_sparse", .own = own});
  environment->set_task(kGoal);
  return play(*environment, towards_goal, test_stream(1), test_stream(2));
}

}  // namespace

TEST_CASE("a sparse point robot is paid within the radius of its goal alone, and trained by distance",
          "[envs][point]") {
  const auto episode = walk({});
  REQUIRE(episode.rewards.size() == 20);
  REQUIRE(episode.training_rewards.size() == 20);
  int paid = 0;
  for (size_t t = 0; t < 20; ++t) {
    const double d = (episode.observations[t + 1].cast<double>() - kGoal).norm();
    CHECK(episode.training_rewards[t] == Approx(-d).margin(1e-6));
    CHECK(episode.rewards[t] == Approx(d <= 0.2 ? 1 - d : 0).margin(1e-6));
    CHECK(episode.successes[t] == (d <= 0.2));
    paid += d <= 0.2 ? 1 : 0;
  }
  CHECK(paid > 5);
  CHECK(paid < 20);
  CHECK(episode.rewards.back() == Approx(1).margin(1e-6));
}

TEST_CASE("a sparse point robot's radius and training reward are keys", "[envs][point]") {
  const auto narrow = walk({{"goal_radius", "0.05"}}), wide = walk({});
  CHECK(narrow.total() < wide.total());
  CHECK(narrow.training_rewards == wide.training_rewards);
  const auto sparse = walk({{"training_reward", "sparse"}});
  CHECK(sparse.rewards == wide.rewards);
  CHECK(sparse.training_rewards == sparse.rewards);
  CHECK_THROWS_WITH(walk({{"training_reward", "densee"}}), contains("environment.training_reward"));
  CHECK_THROWS_WITH(walk({{"goal_radius", "0"}}), contains("environment.goal_radius"));
}

TEST_CASE("a sparse point robot's goals are spread over the upper half circle, its moves clipped",
          "[envs][point]") {
  const auto environment = make_environment({.name = "point_robot_sparse"});
  Stream stream = test_stream(3);
  double mean_x = 0, mean_y = 0;
  constexpr int kTasks = 4000;
  for (int k = 0; k < kTasks; ++k) {
    const auto goal = environment->sample_task(stream);
    REQUIRE(goal.norm() == Approx(1));
    REQUIRE(goal[1] >= 0);
    mean_x += goal[0] / kTasks;
    mean_y += goal[1] / kTasks;
  }
  CHECK(mean_x == Approx(0).margin(0.05));
  CHECK(mean_y == Approx(2 / M_PI).margin(0.03));
  environment->set_task(kGoal);
  Eigen::VectorXf observation(2);
  environment->reset(stream, observation);
  environment->step(Eigen::Vector2f(5, -0.5f), stream, observation);
  CHECK(observation[0] == Approx(0.1));
  CHECK(observation[1] == Approx(-0.05));
}
