#include "envs/humanoid.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

Eigen::VectorXf wave(int t) {
  Eigen::VectorXf action(17);
  for (int i = 0; i < 17; ++i) action[i] = static_cast<float>(14 * std::sin(0.3 * t + i));
  return action;
}

}  // namespace

TEST_CASE("a humanoid is paid for the way of its centre of mass along its direction", "[envs][humanoid]") {
  const bool plane = GENERATE(false, true);
  auto def = plane ? humanoid_direction_2d() : humanoid_direction();
  def.noise.position = 0;  // a quaternion of length 1 to the last bit, for the comparison
  const Eigen::Vector2d direction = plane ? Eigen::Vector2d(-0.6, 0.8) : Eigen::Vector2d(-1, 0);
  Humanoid environment(def);
  environment.set_task(plane ? Eigen::VectorXd(direction) : Eigen::VectorXd::Constant(1, -1));
  MujocoSimulation other(mujoco_model("humanoid"));
  const mjModel& model = other.model();
  Stream stream = test_stream(4);
  Eigen::VectorXf observation(376);
  environment.reset(stream, observation);
  other.reset();
  std::copy_n(environment.simulation().data().qpos, 24, other.data().qpos);
  std::copy_n(environment.simulation().data().qvel, 23, other.data().qvel);
  mj_forward(&model, &other.data());
  const auto centre = [&] {
    Eigen::Vector2d sum = Eigen::Vector2d::Zero();
    double mass = 0;
    for (int b = 1; b < model.nbody; ++b) {
      sum += model.body_mass[b] * Eigen::Map<Eigen::Vector2d>(other.data().xipos + 3 * b);
      mass += model.body_mass[b];
    }
    return Eigen::Vector2d(sum / mass);
  };
  double impact = 0;
  for (int t = 0; t < 30; ++t) {
    const Eigen::Vector2d before = centre();
    double effort = 0;
    for (int i = 0; i < 17; ++i) {
      other.data().ctrl[i] = 0.4 * std::clamp(wave(t)[i] / 10., -1., 1.);
      effort += other.data().ctrl[i] * other.data().ctrl[i];
    }
    REQUIRE(other.step(5));
    const Eigen::Vector2d after = centre();
    mj_rnePostConstraint(&model, &other.data());
    const double forces = Eigen::Map<const Eigen::ArrayXd>(other.data().cfrc_ext, 84).square().sum();
    const auto result = environment.step(wave(t), stream, observation);
    // The source's line, with the length of a time step where that of a step would be expected.
    const double expected =
        0.25 * direction.dot(after - before) / 0.003 - 0.1 * effort - std::min(0.5e-6 * forces, 10.) + 5;
    CHECK(result.reward == Approx(expected).epsilon(1e-6));
    CHECK(result.terminated == (other.data().qpos[2] < 1 || other.data().qpos[2] > 2));
    CHECK(observation[0] == Approx(other.data().qpos[2]));
    CHECK(observation[22] == Approx(other.data().qvel[0]));
    CHECK(observation[45 + 10] == Approx(other.data().cinert[10]));
    CHECK(observation[185 + 11] == Approx(other.data().cvel[11]));
    CHECK(observation[269 + 6] == Approx(other.data().qfrc_actuator[6]));
    CHECK(observation[292 + 20] == Approx(other.data().cfrc_ext[20]));
    impact += forces;
    if (result.terminated) break;
  }
  CHECK(impact > 0);
}

TEST_CASE("each humanoid is what its header says", "[envs][humanoid]") {
  const auto one = make_environment({.name = "humanoid_direction"});
  const auto plane = make_environment({.name = "humanoid_direction_2d"});
  for (const auto* environment : {one.get(), plane.get()}) {
    CHECK(environment->spec().observation_size == 376);
    CHECK(environment->spec().action_size == 17);
    CHECK(environment->spec().horizon == 200);
    CHECK(environment->spec().step_seconds == Approx(0.015));
  }
  Stream stream = test_stream(5);
  double backward = 0;
  Eigen::Vector2d mean = Eigen::Vector2d::Zero();
  constexpr int kTasks = 2000;
  for (int k = 0; k < kTasks; ++k) {
    backward += one->sample_task(stream)[0] < 0 ? 1. / kTasks : 0;
    const auto direction = plane->sample_task(stream);
    REQUIRE(direction.norm() == Approx(1));
    mean += direction / kTasks;
  }
  CHECK(backward == Approx(0.5).margin(0.05));
  CHECK(mean.norm() < 0.07);
  CHECK_THROWS_WITH(plane->set_task(Eigen::Vector2d(1, 1)), contains("expected 1"));
  CHECK_THROWS_WITH(one->set_task(Eigen::VectorXd::Constant(1, 0.5)), contains("-1 or 1"));
}
