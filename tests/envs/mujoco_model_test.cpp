// Models and simulations by themselves; the half-cheetah, the ant and the walker serve as examples.
#include "envs/mujoco_model.h"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

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

// rllab's and Gym's models say of each geom with what it collides and how; MuJoCo finds the pairs while it
// steps.
TEST_CASE("listed contact pairs are those that MuJoCo would find, with the numbers of the tables",
          "[envs][mujoco]") {
  struct Row {
    const char* name;
    double sliding, torsional, solimp_low, solimp_high, solimp_width, margin;
  };
  const auto row = GENERATE(values<Row>({{"half_cheetah", 0.4, 0.1, 0, 0.8, 0.01, 0},
                                         {"ant", 1, 0.5, 0.9, 0.95, 0.001, 0.01},
                                         {"ant_rllab", 1, 0.5, 0.8, 0.8, 0.01, 0.01}}));
  CAPTURE(row.name);
  const auto listed = mujoco_model(row.name);
  REQUIRE(listed->npair == listed->ngeom - 1);  // every geom with the floor
  for (int i = 0; i < listed->npair; ++i) {
    CHECK(listed->pair_dim[i] == 3);
    const std::array friction{row.sliding, row.sliding, row.torsional, row.torsional, row.torsional};
    CHECK(std::equal(friction.begin(), friction.end(), listed->pair_friction + 5 * i));
    const std::array solimp{row.solimp_low, row.solimp_high, row.solimp_width};
    CHECK(std::equal(solimp.begin(), solimp.end(), listed->pair_solimp + 5 * i));
    CHECK(listed->pair_solref[2 * i] == 0.02);
    CHECK(listed->pair_solref[2 * i + 1] == 1);
    CHECK(listed->pair_margin[i] == row.margin);
    CHECK(listed->pair_gap[i] == 0);
  }
#if mjVERSION_HEADER < 300  // later versions keep what a body collides with elsewhere too, and add margins up
  const std::unique_ptr<mjModel, decltype(&mj_deleteModel)> searched(mj_copyModel(nullptr, listed.get()),
                                                                     mj_deleteModel);
  searched->npair = 0;
  searched->opt.collision = mjCOL_ALL;
  for (int g = 0; g < searched->ngeom; ++g) {
    const bool floor = searched->geom_type[g] == mjGEOM_PLANE;
    searched->geom_contype[g] = 1;
    searched->geom_conaffinity[g] = floor ? 1 : 0;
    searched->geom_condim[g] = 3;
    searched->geom_margin[g] = row.margin;
    std::copy_n(std::array{row.sliding, row.torsional, row.torsional}.begin(), 3,
                searched->geom_friction + 3 * g);
    std::copy_n(listed->pair_solimp, 5, searched->geom_solimp + 5 * g);
    std::copy_n(listed->pair_solref, 2, searched->geom_solref + 2 * g);
  }
  const std::unique_ptr<mjData, decltype(&mj_deleteData)> one(mj_makeData(listed.get()), mj_deleteData),
      other(mj_makeData(searched.get()), mj_deleteData);
  Stream stream = test_stream(1);
  std::vector<bool> met(static_cast<size_t>(listed->ngeom));
  for (int t = 0; t < 8000; ++t) {
    if (t % 200 == 0) {  // dropped in any attitude and pose, so that all sides meet the floor
      mj_resetData(listed.get(), one.get());
      if (listed->jnt_type[0] == mjJNT_FREE) {
        one->qpos[2] = 0.6;
        for (int k = 3; k < 7; ++k) one->qpos[k] = stream.normal();
        mju_normalize4(one->qpos + 3);
      } else {
        one->qpos[2] = stream.uniform(-3, 3);
      }
      for (int j = 0; j < listed->njnt; ++j) {
        const double* const range = listed->jnt_range + 2 * j;
        if (listed->jnt_limited[j]) one->qpos[listed->jnt_qposadr[j]] = stream.uniform(range[0], range[1]);
      }
      mj_resetData(searched.get(), other.get());
      std::copy_n(one->qpos, listed->nq, other->qpos);
    }
    for (int i = 0; i < listed->nu; ++i) {
      one->ctrl[i] = other->ctrl[i] = stream.uniform(-1, 1) * listed->actuator_ctrlrange[2 * i + 1];
    }
    mj_step(listed.get(), one.get());
    mj_step(searched.get(), other.get());
    for (int k = 0; k < one->ncon; ++k) met[static_cast<size_t>(one->contact[k].geom2)] = true;
    REQUIRE(one->ncon == other->ncon);
    REQUIRE(std::equal(one->qpos, one->qpos + listed->nq, other->qpos));  // to the last bit
  }
  for (int g = 1; g < listed->ngeom; ++g) {
    const std::string name = mj_id2name(listed.get(), mjOBJ_GEOM, g);
    CAPTURE(name);
    // An ant's hips lie between its torso and its legs, which reach the floor before them.
    CHECK((met[static_cast<size_t>(g)] || name.substr(0, 3) == "aux"));
  }
#endif
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
