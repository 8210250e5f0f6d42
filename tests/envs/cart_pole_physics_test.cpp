#include "envs/cart_pole_physics.h"

#include <cmath>

#include "base/error.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

struct Numbers {
  double cart_mass = 1, pole_mass = 0.1, length = 1, gravity = 9.8, friction = 0;
  Eigen::VectorXd task() const {
    Eigen::VectorXd out(5);
    out << cart_mass, pole_mass, length, gravity, friction;
    return out;
  }
};

// Barto, Sutton and Anderson's equations, integrated in steps of 10 microseconds: what a push of `force` for
// 0.02 s makes of (x, v, angle, turning). Dry friction against v, for a cart that does not change direction.
Eigen::Vector4d integrated(Eigen::Vector4d s, double force, const Numbers& n) {
  constexpr double h = 1e-5;
  const double l = n.length / 2, total = n.cart_mass + n.pole_mass;
  for (int k = 0; k < 2000; ++k) {
    const double rubbing = n.friction * n.gravity * total * (s[1] > 0 ? 1 : s[1] < 0 ? -1 : 0);
    const double pushed = (force - rubbing + n.pole_mass * l * s[3] * s[3] * std::sin(s[2])) / total;
    const double turning = (n.gravity * std::sin(s[2]) - std::cos(s[2]) * pushed) /
                           (l * (4. / 3 - n.pole_mass * std::pow(std::cos(s[2]), 2) / total));
    const double speeding = pushed - n.pole_mass * l * turning * std::cos(s[2]) / total;
    s[1] += h * speeding;
    s[3] += h * turning;
    s[0] += h * s[1];
    s[2] += h * s[3];
  }
  return s;
}

Eigen::VectorXf push(int choice) { return Eigen::VectorXf::Constant(1, static_cast<float>(choice)); }

// Pushes to the side to which the pole falls.
Eigen::VectorXf balance(const Eigen::VectorXf& o, Stream&) {
  return push(3 * o[2] + o[3] + 0.1f * o[0] + 0.3f * o[1] > 0 ? 1 : 0);
}

}  // namespace

TEST_CASE("a pole on a cart moves by its equations of motion", "[envs][cart_pole]") {
  const auto numbers =
      GENERATE(values<Numbers>({{}, {2, 0.5, 2, 5, 0}, {0.5, 0.5, 0.5, 15, 0}, {0.7, 0.2, 1.4, 9.8, 0.2}}));
  CAPTURE(numbers.task().transpose());
  CartPolePhysics environment(cart_pole_physics());
  environment.set_task(numbers.task());
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Stream stream = test_stream(seed);
    Eigen::VectorXf observation(4);
    environment.reset(stream, observation);
    if (observation[1] < 0 && numbers.friction > 0) continue;  // a cart that turns around in mid-step
    for (int t = 0; t < 8; ++t) {
      const Eigen::Vector4d before = observation.cast<double>();
      if (environment.step(push(1), stream, observation).terminated) break;
      const Eigen::Vector4d after = integrated(before, 10, numbers);
      const Eigen::Vector4d error = observation.cast<double>() - after;
      CAPTURE(t, before.transpose(), after.transpose(), observation.transpose());
      // Box2D's steps of 0.01 s.
      CHECK(error.cwiseAbs().maxCoeff() < 0.025 * (after - before).cwiseAbs().maxCoeff());
    }
  }
}

TEST_CASE("a pole on a cart falls when pushed at random, and stands when balanced", "[envs][cart_pole]") {
  const auto environment = make_environment({.name = "cart_pole_physics"});
  double random = 0, balanced = 0;
  constexpr int kEpisodes = 40;
  for (uint64_t seed = 0; seed < kEpisodes; ++seed) {
    const auto episode = play_random(*environment, seed, seed);
    random += episode.total() / kEpisodes;
    CHECK(episode.total() == static_cast<double>(episode.rewards.size()));
    const auto last = episode.observations.back();
    CHECK(episode.terminated == (std::abs(last[0]) > 2.4 || std::abs(last[2]) > 12 * M_PI / 180));
    balanced += play(*environment, balance, test_stream(seed), test_stream(seed, 1)).total() / kEpisodes;
  }
  CHECK(random < 50);
  CHECK(balanced > 190);
}

TEST_CASE("a cart's friction brings it to rest, and a cart without keeps its velocity", "[envs][cart_pole]") {
  for (const double friction : {0., 0.2}) {
    Numbers numbers{.pole_mass = 1e-4, .friction = friction};
    CartPolePhysics environment(cart_pole_physics());
    environment.set_task(numbers.task());
    Stream stream = test_stream(1);
    Eigen::VectorXf o(4);
    environment.reset(stream, o);
    for (int t = 0; t < 20; ++t) environment.step(push(1), stream, o);
    const double fast = o[1];
    environment.step(push(0), stream, o);
    // 0.02 s of -10 N, with friction -10 N - 0.2 * 9.8 N.
    CHECK(o[1] - fast == Approx(-0.02 * (10 + friction * 9.8)).epsilon(0.02));
  }
}

TEST_CASE("a cart with a pole refuses masses that are none", "[envs][cart_pole]") {
  CartPolePhysics environment(cart_pole_physics());
  CHECK_THROWS_WITH(environment.set_task(Numbers{.pole_mass = 0}.task()), contains("pole_mass is 0"));
  CHECK_THROWS_WITH(environment.set_task(Numbers{.friction = -0.1}.task()), contains("friction is -0.1"));
}
