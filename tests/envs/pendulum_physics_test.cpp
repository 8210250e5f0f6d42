#include "envs/pendulum_physics.h"

#include <cmath>

#include "base/error.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

Eigen::VectorXf torque(double value) { return Eigen::VectorXf::Constant(1, static_cast<float>(value)); }

double angle_of(const Eigen::VectorXf& o) { return std::atan2(o[1], o[0]); }

double energy(double angle, double turning, double mass, double length) {
  return mass * length * length / 6 * turning * turning + mass * 10 * length / 2 * std::cos(angle);
}

// Pumps energy until the pendulum is near upright, then holds it there.
Eigen::VectorXf swing_up(const Eigen::VectorXf& o, const Eigen::Vector3d& task) {
  const double angle = angle_of(o), turning = o[2];
  const double wanted = energy(0, 0, task[0], task[1]);
  const double lift = task[0] * 10 * task[1] / 2 * std::sin(angle);
  if (std::abs(angle) < 0.3) return torque(-(lift + 8 * angle + 2 * turning) / 2);
  return torque((wanted - energy(angle, turning, task[0], task[1])) * (turning > 0 ? 1 : -1) * 2);
}

}  // namespace

TEST_CASE("a pendulum moves by its equation of motion", "[envs][pendulum]") {
  const Eigen::Vector3d task =
      GENERATE(values<Eigen::Vector3d>({{1, 1, 0}, {0.5, 1.3, 0.3}, {1.5, 0.7, 0.1}}));
  PendulumPhysics environment(pendulum_physics());
  environment.set_task(task);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Stream stream = test_stream(seed);
    Eigen::VectorXf o(3);
    environment.reset(stream, o);
    const double u = seed % 2 == 0 ? 0.6 : -1.7;  // beyond 1 is clipped
    for (int t = 0; t < 10; ++t) {
      double angle = angle_of(o), turning = o[2];
      const double cost = angle * angle + .1 * turning * turning + .001 * std::pow(2 * std::max(-1., u), 2);
      const double before = turning;
      for (int k = 0; k < 5000; ++k) {
        constexpr double h = 1e-5;
        const double rub = task[2] * (turning > 0 ? 1 : -1);
        turning += h * (30 / (2 * task[1]) * std::sin(angle) +
                        3 / (task[0] * task[1] * task[1]) * (2 * std::max(-1., u) - rub));
        angle += h * turning;
      }
      const auto result = environment.step(torque(u), stream, o);
      CHECK(result.reward == Approx(-cost).margin(1e-4));
      if (turning * before <= 0 && task[2] > 0) break;  // sticking is another matter
      CHECK(o[2] == Approx(turning).margin(0.06 + 0.02 * std::abs(turning)));
      CHECK(std::remainder(angle_of(o) - angle, 2 * M_PI) == Approx(0).margin(0.03));
    }
  }
}

TEST_CASE("a pendulum swings up when its energy is pumped, and not at random", "[envs][pendulum]") {
  const auto environment = make_environment({.name = "pendulum_physics"});
  int up = 0;
  double random = 0, pumped = 0;
  constexpr int kEpisodes = 20;
  for (uint64_t seed = 0; seed < kEpisodes; ++seed) {
    Stream tasks = test_stream(seed, 0, Purpose::kTask);
    const Eigen::Vector3d task = environment->sample_task(tasks);
    random += play_random(*environment, seed, seed).total() / kEpisodes;
    environment->set_task(task);
    const auto episode = play(
        *environment, [&](const auto& o, Stream&) { return swing_up(o, task); }, test_stream(seed),
        test_stream(seed, 1));
    up += episode.successes.back() ? 1 : 0;
    pumped += episode.total() / kEpisodes;
  }
  CHECK(up > kEpisodes / 2);
  CHECK(random < -900);
  CHECK(pumped > random / 2);
}

TEST_CASE("a pendulum without torque and friction keeps its energy, with friction it loses it",
          "[envs][pendulum]") {
  for (const double friction : {0., 0.3}) {
    PendulumPhysics environment(pendulum_physics());
    environment.set_task(Eigen::Vector3d(1, 1, friction));
    Stream stream = test_stream(4);
    Eigen::VectorXf o(3);
    environment.reset(stream, o);
    const double start = energy(angle_of(o), o[2], 1, 1);
    for (int t = 0; t < 100; ++t) environment.step(torque(0), stream, o);
    const double end = energy(angle_of(o), o[2], 1, 1);
    CAPTURE(friction, start, end);
    if (friction == 0) CHECK(std::abs(end - start) < 0.5);
    if (friction > 0) CHECK(end < start - 0.5);
  }
}

TEST_CASE("a pendulum refuses a length that is none", "[envs][pendulum]") {
  PendulumPhysics environment(pendulum_physics());
  CHECK_THROWS_WITH(environment.set_task(Eigen::Vector3d(1, 0, 0)), contains("length 0"));
}
