// Models and simulations by themselves; the half-cheetah, the ant and the walker serve as examples.
#include "envs/mujoco_model.h"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "base/error.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

Eigen::VectorXd positions(const MujocoSimulation& simulation) {
  return Eigen::Map<const Eigen::VectorXd>(simulation.data().qpos, simulation.model().nq);
}
Eigen::VectorXd velocities(const MujocoSimulation& simulation) {
  return Eigen::Map<const Eigen::VectorXd>(simulation.data().qvel, simulation.model().nv);
}

}  // namespace

TEST_CASE("a simulation after a reset knows nothing of what it did before", "[envs][mujoco]") {
  const auto model = mujoco_model("half_cheetah");
  const auto run = [&](MujocoSimulation& simulation) {
    simulation.reset();
    using Values = Eigen::Map<const Eigen::VectorXd>;  // what the trajectory may not show
    CHECK((Values(simulation.data().qacc_warmstart, 9).array() == 0).all());
    CHECK((Values(simulation.data().ctrl, 6).array() == 0).all());
    CHECK(simulation.data().time == 0);
    for (int t = 0; t < 100; ++t) {
      for (int i = 0; i < 6; ++i) simulation.data().ctrl[i] = std::sin(t + i);
      REQUIRE(simulation.step(1));
    }
    return positions(simulation);
  };
  MujocoSimulation fresh(model), used(model);
  used.reset();
  for (int i = 0; i < 6; ++i) used.data().ctrl[i] = 1;
  REQUIRE(used.step(333));
  CHECK(run(used) == run(fresh));  // to the last bit
  used.data().qpos[0] = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_FALSE(used.step(1));
  CHECK(run(used) == run(fresh));
}

TEST_CASE("a step after forward() is one after mj_forward", "[envs][mujoco]") {
  const auto name = GENERATE("ant_rllab", "ant", "walker2d", "half_cheetah");
  CAPTURE(name);
  MujocoSimulation one(mujoco_model(name)), other(mujoco_model(name));
  one.reset();
  other.reset();
  const mjModel& model = one.model();
  Stream stream = test_stream(1);
  for (int t = 0; t < 300; ++t) {
    if (t % 7 != 3) {
      one.forward();
      mj_forward(&model, &other.data());
    }
    if (t == 100 || t == 153) {  // changed by someone after forward()
      mjData& data = one.data();
      (t == 100 ? data.qpos : data.qvel)[0] = (t == 100 ? other.data().qpos : other.data().qvel)[0] += .01;
    }
    for (int i = 0; i < model.nu; ++i) {
      one.data().ctrl[i] = other.data().ctrl[i] = stream.uniform(-1, 1) * model.actuator_ctrlrange[2 * i + 1];
    }
    const int count = 1 + t % 2;
    REQUIRE(one.step(count));
    for (int k = 0; k < count; ++k) mj_step(&model, &other.data());
    const auto difference = [&](const mjtNum* x, mjtNum* y, int64_t size) {
      double largest = 0;
      for (int64_t k = 0; k < size; ++k) largest = std::max(largest, std::abs(x[k] - y[k]));
      std::copy_n(x, size, y);  // rounding must not add up
      return largest;
    };
    const double tolerance = model.nq > model.nv ? 1e-8 : 0;  // with quaternions, without
    REQUIRE(difference(one.data().xpos, other.data().xpos, 3 * model.nbody) <= tolerance);
    REQUIRE(difference(one.data().qpos, other.data().qpos, model.nq) <= tolerance);
    REQUIRE(difference(one.data().qvel, other.data().qvel, model.nv) <= 100 * tolerance);
    std::copy_n(one.data().qacc_warmstart, model.nv, other.data().qacc_warmstart);
  }
}

TEST_CASE("a simulation that diverges says so, whether MuJoCo warns or not", "[envs][mujoco]") {
  MujocoSimulation simulation(mujoco_model("half_cheetah"));
  simulation.reset();
  CHECK(simulation.trouble().empty());
  simulation.data().qvel[2] = 1e12;
  CHECK_FALSE(simulation.step(1));
  CHECK_THAT(simulation.trouble(), contains("MuJoCo warns") && contains("QVEL"));
  simulation.reset();
  CHECK(simulation.step(1));
  CHECK(simulation.trouble().empty());
  simulation.data().qvel[0] = 2e6;  // too fast for us, not for MuJoCo
  CHECK_FALSE(simulation.step(1));
  CHECK_THAT(simulation.trouble(), contains("a velocity"));
}

TEST_CASE("simulations that share their memory do not share their states, nor what goes wrong",
          "[envs][mujoco]") {
  for (const char* model : {"half_cheetah", "ant", "walker2d"}) {
    MujocoSimulation alone(mujoco_model(model)), first(mujoco_model(model));
    alone.reset();
    first.reset();
    auto second = std::make_unique<MujocoSimulation>(first);
    MujocoSimulation third(*second);
    CHECK(&first.data() == &third.data());
    const auto push = [](MujocoSimulation& simulation, double control) {
      simulation.data().ctrl[0] = control;
      return simulation.step(2);
    };
    for (int t = 0; t < 50; ++t) {
      REQUIRE(push(alone, 0.3));
      alone.forward();
      REQUIRE(push(first, 0.3));
      first.forward();  // forgotten when the second takes over; only rounding may tell
      if (t == 25) {
        second->data().qvel[2] = 1e12;
        CHECK_FALSE(second->step(1));
        CHECK(first.trouble().empty());
        CHECK_THAT(second->trouble(), contains("QVEL"));
        second->reset();
      }
      REQUIRE(push(*second, -0.2));
      CHECK(second->data().ctrl[0] == -0.2);
      CHECK(first.data().ctrl[0] == 0.3);
      REQUIRE((positions(first) - positions(alone)).cwiseAbs().maxCoeff() < 1e-9);
      REQUIRE((velocities(first) - velocities(alone)).cwiseAbs().maxCoeff() < 1e-7);
    }
    CHECK(third.data().time == 0);
    const double time = second->data().time;
    second.reset();  // whose state was in the memory
    CHECK(first.data().time == alone.data().time);
    CHECK(time < first.data().time);
  }
}

TEST_CASE("an error of MuJoCo is an Error with its words", "[envs][mujoco]") {
  CHECK_THROWS_WITH(mujoco_model("no_such_animal"),
                    contains("cannot load") && contains("no_such_animal.xml") && contains("assets"));
  MujocoSimulation simulation(mujoco_model("half_cheetah"));
  simulation.reset();
  std::array<mjtNum, 6> velocity;
  CHECK_THROWS_AS(mj_objectVelocity(&simulation.model(), &simulation.data(), 99, 0, velocity.data(), 0),
                  Error);
  CHECK_THROWS_WITH(mj_objectVelocity(&simulation.model(), &simulation.data(), 99, 0, velocity.data(), 0),
                    contains("MuJoCo: ") && contains("99"));
}
