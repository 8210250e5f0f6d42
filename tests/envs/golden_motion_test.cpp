// Masses, inertias and first trajectories of the MuJoCo models against numbers computed from the original XML
// files with MuJoCo 2.2.2: from the initial state (legs at 0, no key frame), controls 0.5 sin(0.1 t + i) of
// the largest for motor i, five time steps for each t.
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "envs/mujoco_model.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

struct Motion {
  const char* model;
  double total_mass;
  std::map<int, std::vector<double>> positions;  // after t = 1, 10
  double newer;  // what 4.0.0 may differ by at t = 10; from 3.3.6 on, Runge-Kutta starts its solver otherwise
};

const Motion kMotions[] = {
    {"ant",
     .9108800827,
     {{1,
       {.00136529135446, -.0054362442357, .773250401757, .999998256205, .00110120927911, -.00123785737754,
        .000861761751404, .0820065187537, .429121989804, -.0683043049372, -.460158084912, -.0254179445377,
        -.402765052289, 4.128584346e-05, .455711772335}},
      {10,
       {-.176505638802, -.135816275221, .582618714285, .987564206666, .0677548714038, -.0684034262131,
        -.124286710456, .524141736969, .518785358039, -.525043691376, -1.22241818994, .0892831028069,
        -.522038473018, .524830078126, 1.22311129113}}},
     .02},
    {"ant_rllab",
     .9108800827,
     {{1,
       {.00568287133119, -.0189694513654, .740187063276, .999982951041, .00351830523891, -.00347200171567,
        .00310875522547, .32275438905, .440272591465, -.268868363379, -.586480244331, -.0999400384907,
        -.370313115021, .000108305911695, .561078857775}}},
     .02},
    {"hopper",
     15.82001341,
     {{1,
       {.000136191280375, 1.24941752482, .000312978290146, -.000121025265118, .000609048722923,
        .00403449481519}},
      {10, {.016320708642, 1.22124673079, .0234580538444, .00100220836584, .00127782953789, .267805195489}}},
     3e-3},
    {"walker2d",
     23.67713663,
     {{1,
       {-.000291374778537, 1.24954215715, -.00138342825743, -.00237255715076, .0014091578209, .0339230813992,
        .00131595107188, -.0050395484478, -.0345257176808}},
      {10,
       {-.0633121084014, 1.22460823231, -.247015212453, -.199951969246, .00730172040993, .919351010976,
        .00486391994057, -.46269659484, -.0422960680685}}},
     1e-6},
    {"humanoid",
     42.11603049,
     {{1, {0.000528282393608,  -7.37803719481e-05, 1.39876680181,    0.999992928319,   -0.00138630391621,
           -0.000287195893856, -0.00348410567744,  0.00940198472943, 0.0114897076385,  0.0115530800187,
           -0.00851392281359,  -0.0283032710313,   -0.0358133270336, -0.0509306430429, 0.00926561981615,
           0.039604553253,     -0.0233492633172,   -0.0242095521008, 0.00244941884299, 0.00266241463279,
           0.00189867464235,   0.0106681248772,    0.00949503270339, 0.00546803776668}},
      {10, {0.00101490983723, 0.00630839889147, 1.25680159987,   0.995685650189,  -0.0236200856591,
            0.00156505853228, -0.0897202772677, 0.342497851767,  0.0989245291646, 0.161453362535,
            -0.0173803705258, -0.434163567549,  -0.553883221738, -0.664096563329, 0.0907947312646,
            0.400757378662,   -0.556265727418,  -1.4591666512,   -0.3040841484,   0.0381464514466,
            0.274906615862,   0.390610104633,   0.120354336063,  -0.236041952453}}},
     .02},
    // The half-cheetah's are in half_cheetah_test.cpp.
};

}  // namespace

TEST_CASE("ants, hopper, walker and humanoid move as the published models do", "[envs][mujoco]") {
  const auto motion = GENERATE(from_range(std::begin(kMotions), std::end(kMotions)));
  CAPTURE(motion.model, mj_version());
  MujocoSimulation simulation(mujoco_model(motion.model));
  const mjModel& model = simulation.model();
  mjData& data = simulation.data();
  simulation.reset();
  mj_forward(&model, &data);
  for (int t = 0; t < 10; ++t) {
    for (int i = 0; i < model.nu; ++i) {
      data.ctrl[i] = 0.5 * std::sin(0.1 * t + i) * model.actuator_ctrlrange[2 * i + 1];
    }
    REQUIRE(simulation.step(5));
    const auto golden = motion.positions.find(t + 1);
    if (golden == motion.positions.end()) continue;
    REQUIRE(static_cast<int>(golden->second.size()) == model.nq);
    const double older = t == 0 ? 1e-9 : 1e-6, newer = t == 0 ? 1e-5 : motion.newer;
    const double tolerance = mj_version() == 222 ? older : newer;
    for (int k = 0; k < model.nq; ++k) {
      CAPTURE(t, k);
      CHECK(data.qpos[k] == Approx(golden->second[static_cast<size_t>(k)]).margin(tolerance).epsilon(0));
    }
  }
}

TEST_CASE("ants, hopper, walker and humanoid have the masses and inertias of their sources",
          "[envs][mujoco]") {
  struct Body {
    const char *model, *body;
    double mass;
    std::array<double, 3> inertia;
  };
  // Capsules of length 2 h and radius r, and a sphere; density 5 (ants), 1000.
  const auto body = GENERATE(values<Body>({
      {"ant", "torso", .3272492347, {.008181230869, .008181230869, .008181230869}},
      {"ant", "aux_3", .03915775373, {.0005679660832, .0005679660832, .0001184418981}},
      {"ant", "foot_2", .06759220453, {.00267479066, .00267479066, .0002094321406}},
      {"ant_rllab", "torso", .3272492347, {.008181230869, .008181230869, .008181230869}},
      {"ant_rllab", "foot_4", .06759220453, {.00267479066, .00267479066, .0002094321406}},
      {"hopper", "torso", 3.665191429, {.06924593807, .06924593807, .004450589593}},
      {"hopper", "thigh", 4.057890511, {.09329875683, .09329875683, .004941463445}},
      {"hopper", "leg", 2.781356696, {.07230254017, .07230254017, .002182192145}},
      {"hopper", "foot", 5.31557477, {.1035230806, .1035230806, .009242314259}},
      {"humanoid", "torso", 8.90746237, {.173241525, .1540101406, .04111915494}},
      {"humanoid", "right_thigh", 4.751750929, {.07495165387, .07495165387, .008227431346}},
      {"humanoid", "left_lower_arm", 1.229540193, {.01366722833, .01366722833, .0006215610823}},
      {"walker2d", "torso", 3.665191429, {.06924593807, .06924593807, .004450589593}},
      {"walker2d", "foot", 3.166725395, {.02399774663, .02399774663, .005374385384}},
      {"walker2d", "leg_left", 2.781356696, {.07230254017, .07230254017, .002182192145}},
  }));
  CAPTURE(body.model, body.body);
  const auto model = mujoco_model(body.model);
  const int id = mj_name2id(model.get(), mjOBJ_BODY, body.body);
  REQUIRE(id > 0);
  CHECK(model->body_mass[id] == Approx(body.mass).epsilon(1e-8));
  for (int k = 0; k < 3; ++k)
    CHECK(model->body_inertia[3 * id + k] == Approx(body.inertia[static_cast<size_t>(k)]).epsilon(1e-8));
  double total = 0;
  for (int b = 1; b < model->nbody; ++b) total += model->body_mass[b];
  for (const auto& motion : kMotions) {
    if (motion.model == std::string(body.model)) CHECK(total == Approx(motion.total_mass).epsilon(1e-8));
  }
}

// `<size>` keeps resets cheap, and must hold what can happen at worst: all of a model's capsules lying on the
// floor, and all joints at their limits. With too little room MuJoCo warns, which ends an episode.
TEST_CASE("every model has room for all its contacts and limits at once", "[envs][mujoco]") {
  struct Row {
    const char* model;
    int contacts, rows;
  };
  const auto row = GENERATE(values<Row>({{"ant", 25, 108},
                                         {"ant_rllab", 25, 108},
                                         {"hopper", 8, 35},
                                         {"walker2d", 14, 62},
                                         {"humanoid", 29, 133},
                                         {"half_cheetah", 16, 70}}));
  CAPTURE(row.model);
  // The floor far above: every geom touches it. The joints beyond all limits.
  MujocoSimulation simulation(mujoco_model(row.model));
  const mjModel& model = simulation.model();
  mjData& data = simulation.data();
  simulation.reset();
  for (int j = 0; j < model.njnt; ++j) {
    if (model.jnt_limited[j] != 0) data.qpos[model.jnt_qposadr[j]] = model.jnt_range[2 * j + 1] + .01;
  }
  const int height = model.jnt_type[0] == mjJNT_FREE ? 2 : 1;
  data.qpos[height] = -1;
  mj_forward(&model, &data);
  CHECK(data.ncon >= row.contacts);
  CHECK(data.nefc >= row.rows);
  CHECK(simulation.trouble().empty());
}
