// Claims about the example environment that the contract cannot know.
#include "envs/cart_1d.h"

#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

Eigen::VectorXf force(float value) { return Eigen::VectorXf::Constant(1, value); }

std::unique_ptr<Environment> cart(double goal) {
  auto environment = make_environment({.name = "cart_1d"});
  environment->set_task(Eigen::VectorXd::Constant(1, goal));
  return environment;
}

}  // namespace

TEST_CASE("a cart moves as its header says, and forces are clipped", "[envs][cart]") {
  const auto environment = cart(0.5);
  Stream stream = test_stream(1);
  Eigen::VectorXf observation(2);
  environment->reset(stream, observation);
  CHECK(observation == Eigen::Vector2f(0, 0));
  CHECK(environment->step(force(0.5f), stream, observation).reward == Approx(-0.48));
  CHECK(observation[0] == Approx(0.02));  // v = .1 * 4 * .5 = .2, x = .1 * v
  CHECK(observation[1] == Approx(0.2));
  environment->step(force(7), stream, observation);
  CHECK(observation[1] == Approx(0.2 + 0.1 * (4 - 2 * 0.2)));
  CHECK(observation[0] == Approx(0.02 + 0.1 * 0.56));
}

TEST_CASE("a cart driven towards its goal gets there and stays, one that waits does not", "[envs][cart]") {
  const double goal = -0.8;
  const auto play_with = [&](const Actor& actor) {
    return play(*cart(goal), actor, test_stream(1), test_stream(2));
  };
  const auto driven = play_with([&](const Eigen::VectorXf& seen, Stream&) {
    return force(4 * (static_cast<float>(goal) - seen[0]) - 2 * seen[1]);
  });
  CHECK(driven.successes.back());
  CHECK(driven.observations.back()[0] == Approx(goal).margin(0.01));
  CHECK(driven.total() > -10);
  const auto waiting = play_with([](const Eigen::VectorXf&, Stream&) { return force(0); });
  CHECK(waiting.total() == Approx(-0.8 * 40));
  CHECK_FALSE(waiting.successes.back());
}

TEST_CASE("a cart is drawn where it is, on its rail, and success is where the goal is drawn",
          "[envs][cart]") {
  const auto environment = cart(0.25);
  Stream stream = test_stream(1);
  Eigen::VectorXf observation(2);
  environment->reset(stream, observation);
  const Planar* drawn = planar(*environment);
  REQUIRE(drawn != nullptr);
  const auto goal = bounds(*drawn->scene().goal);
  for (int t = 0; t < 40; ++t) {
    const bool success = environment->step(force(0.3f), stream, observation).success;
    const auto position = drawn->pose().position;
    CHECK(position.x() == Approx(observation[0]));
    CHECK(goal.contains(position) == success);
    for (const auto& part : drawn->pose().body) CHECK(bounds(part).min().y() > -1e-9);
  }
}
