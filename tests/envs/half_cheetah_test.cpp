#include "envs/half_cheetah.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <thread>
#include <tuple>

#include "base/error.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

constexpr double kTimeStep = 0.01;

std::string direction_or_velocity(const HalfCheetahDef& def) {
  return def.task == HalfCheetahDef::Task::kVelocity ? "velocity" : "direction";
}

HalfCheetahDef without_noise(HalfCheetahDef def) {
  def.noise.position = def.noise.velocity = 0;
  return def;
}

Eigen::VectorXd task(double value) { return Eigen::VectorXd::Constant(1, value); }

// Smooth, within the bounds, and different for every motor.
Eigen::VectorXf wave(int t) {
  Eigen::VectorXf action(6);
  for (int i = 0; i < 6; ++i) action[i] = static_cast<float>(0.5 * std::sin(0.1 * t + i));
  return action;
}

// The animal's centre of mass with its joints at `q`, from the bodies' masses and MuJoCo's kinematics only.
Eigen::Vector3d centre_of_mass(const Eigen::VectorXd& q) {
  MujocoSimulation simulation(mujoco_model("half_cheetah"));
  simulation.reset();
  Eigen::Map<Eigen::VectorXd>(simulation.data().qpos, 9) = q;
  mj_kinematics(&simulation.model(), &simulation.data());
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  for (int body = 1; body <= 7; ++body) {
    sum +=
        simulation.model().body_mass[body] * Eigen::Map<Eigen::Vector3d>(simulation.data().xipos + 3 * body);
  }
  return sum / 14;
}

Eigen::VectorXd positions(const MujocoSimulation& simulation) {
  return Eigen::Map<const Eigen::VectorXd>(simulation.data().qpos, 9);
}
Eigen::VectorXd velocities(const MujocoSimulation& simulation) {
  return Eigen::Map<const Eigen::VectorXd>(simulation.data().qvel, 9);
}

struct Statistics {
  double mean = 0, deviation = 0;  // of single episodes
};

// Undiscounted returns of one episode on each of `episodes` tasks, spread evenly over p(T): that takes the
// spread of the goals out of the mean's error.
Statistics returns(const HalfCheetahDef& def, const Actor& actor, int episodes) {
  HalfCheetah environment(def);
  double sum = 0, squares = 0;
  for (int k = 0; k < episodes; ++k) {
    const auto id = static_cast<uint64_t>(k);
    const double quantile = (k + .5) / episodes;
    const bool velocity = def.task == HalfCheetahDef::Task::kVelocity;
    environment.set_task(task(velocity ? quantile * def.max_velocity : quantile < .5 ? -1 : 1));
    const double total = play(environment, actor, test_stream(11, id, Purpose::kEnvironment),
                              test_stream(11, id, Purpose::kAction))
                             .total();
    sum += total;
    squares += total * total;
  }
  const double mean = sum / episodes;
  return {mean, std::sqrt(squares / episodes - mean * mean)};
}

}  // namespace

TEST_CASE("the half-cheetah's bodies have the masses and inertias of rllab and Gym", "[envs][half_cheetah]") {
  struct Body {
    const char* name;
    double mass;
    std::array<double, 3> inertia;
  };
  const std::array<Body, 7> bodies{{{"torso", 6.250209205, {.8971176881, .8856554522, .01796092341}},
                                    {"bthigh", 1.543514644, {.01684433958, .01684433958, .00157602159}},
                                    {"bshin", 1.587447699, {.01826741908, .01826741908, .001622502762}},
                                    {"bfoot", 1.09539749, {.006352423264, .006352423264, .00110191364}},
                                    {"fthigh", 1.438075314, {.01373964335, .01373964335, .001464466778}},
                                    {"fshin", 1.20083682, {.008222108619, .008222108619, .001213468452}},
                                    {"ffoot", .8845188285, {.003529109456, .003529109456, .0008788040167}}}};
  const auto model = mujoco_model("half_cheetah");
  REQUIRE(model->nbody == 8);
  double total = 0;
  for (const auto& body : bodies) {
    CAPTURE(body.name);
    const int id = mj_name2id(model.get(), mjOBJ_BODY, body.name);
    REQUIRE(id > 0);
    CHECK(model->body_mass[id] == Approx(body.mass).epsilon(1e-8));
    for (size_t k = 0; k < 3; ++k) {
      CHECK(model->body_inertia[3 * id + static_cast<int>(k)] == Approx(body.inertia[k]).epsilon(1e-8));
    }
    total += model->body_mass[id];
  }
  CHECK(total == Approx(14).epsilon(1e-12));
  const int torso = mj_name2id(model.get(), mjOBJ_BODY, "torso");
  CHECK(model->body_ipos[3 * torso] == Approx(.15238988).epsilon(1e-7));
  CHECK(model->body_ipos[3 * torso + 2] == Approx(.025398313).epsilon(1e-7));
}

// Computed with MuJoCo 2.2.2 from the XML files of rllab and Gym; 4.0.0 differs from it by 3e-8 at t = 10.
const std::array<std::array<double, 9>, 2> kGolden{
    {{.00113674470703, -.0237307877366, -.0109694659064, -.0381950913398, .147676799498, .169731862573,
      .0606496531121, -.119986321555, -.123832994598},
     {-.00481292816296, -.276243093242, .0532595107031, .257464036707, .33019276674, .0877979437883,
      -.320414809954, -.362014353149, -.241142637759}}};

TEST_CASE("the half-cheetah moves as the published model does", "[envs][half_cheetah]") {
  CAPTURE(mj_version());
  MujocoSimulation simulation(mujoco_model("half_cheetah"));
  simulation.reset();
  mj_forward(&simulation.model(), &simulation.data());
  HalfCheetah environment(without_noise(half_cheetah_velocity_gym()));
  environment.set_task(task(1));
  Stream stream = test_stream(1);
  Eigen::VectorXf observation(20);
  environment.reset(stream, observation);
  size_t compared = 0;
  for (int t = 0; t < 10; ++t) {
    for (int i = 0; i < 6; ++i) simulation.data().ctrl[i] = 0.5 * std::sin(0.1 * t + i);
    REQUIRE(simulation.step(5));
    environment.step(wave(t), stream, observation);
    if (t != 0 && t != 9) continue;
    const auto& golden = kGolden[compared++];
    for (int k = 0; k < 9; ++k) {
      CHECK(simulation.data().qpos[k] == Approx(golden[static_cast<size_t>(k)]).margin(1e-6));
      if (k > 0) {  // the environment's actions and observations are of single precision
        CHECK(observation[k - 1] == Approx(golden[static_cast<size_t>(k)]).margin(2e-6));
      }
    }
  }
  CHECK(compared == 2);
}

TEST_CASE("each half-cheetah is what the table says", "[envs][half_cheetah]") {
  struct Row {
    HalfCheetahDef def;
    int64_t observation_size, horizon;
    double step_seconds, highest_velocity;
  };
  const auto row = GENERATE(values<Row>({{half_cheetah_velocity_rllab(), 20, 200, .01, 2},
                                         {half_cheetah_direction_rllab(), 20, 200, .01, 0},
                                         {half_cheetah_velocity_gym(), 20, 200, .05, 2},
                                         {half_cheetah_direction_gym(), 20, 200, .05, 0},
                                         {half_cheetah_velocity_promp(), 17, 100, .05, 3}}));
  CAPTURE(row.def.name);
  const auto environment = make_environment({.name = row.def.name});
  const auto& spec = environment->spec();
  CHECK(spec.observation_size == row.observation_size);
  CHECK(spec.action_size == 6);
  CHECK(spec.horizon == row.horizon);
  CHECK(spec.step_seconds == Approx(row.step_seconds));
  CHECK(spec.task_parameters == std::vector<std::string>{direction_or_velocity(row.def)});

  Stream stream = test_stream(3);
  constexpr int kTasks = 4000;
  double low = 9, high = -9, mean = 0;
  for (int k = 0; k < kTasks; ++k) {
    const double value = environment->sample_task(stream)[0];
    if (row.highest_velocity == 0) REQUIRE(std::abs(value) == 1);
    low = std::min(low, value);
    high = std::max(high, value);
    mean += value / kTasks;
  }
  if (row.highest_velocity == 0) {
    CHECK(low == -1);
    CHECK(high == 1);
    CHECK(std::abs(mean) < 4 / std::sqrt(kTasks));
  } else {
    CHECK(low >= 0);
    CHECK(low < .01);
    CHECK(high < row.highest_velocity);
    CHECK(high > row.highest_velocity - .01);
    CHECK(std::abs(mean - row.highest_velocity / 2) < 4 * row.highest_velocity / std::sqrt(12 * kTasks));
  }
}

TEST_CASE("a half-cheetah starts with the noise of its source", "[envs][half_cheetah]") {
  const bool rllab = GENERATE(true, false);
  HalfCheetah environment(rllab ? half_cheetah_velocity_rllab() : half_cheetah_velocity_gym());
  environment.set_task(task(1));
  Stream stream = test_stream(4);
  Eigen::VectorXf observation(20);
  constexpr int kResets = 3000;
  Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(18), squares = sum, largest = sum;
  for (int k = 0; k < kResets; ++k) {
    environment.reset(stream, observation);
    Eigen::ArrayXd state(18);
    state << positions(environment.simulation()), velocities(environment.simulation());
    REQUIRE(observation.head<17>() == state.tail<17>().cast<float>().matrix());
    sum += state;
    squares += state.square();
    largest = largest.max(state.abs());
  }
  const double position_sd = rllab ? .01 : .1 / std::sqrt(3);
  const Eigen::ArrayXd sd = (squares / kResets).sqrt();
  CHECK((sum.head<9>() / kResets).abs().maxCoeff() < 4.5 * position_sd / std::sqrt(kResets));
  CHECK((sum.tail<9>() / kResets).abs().maxCoeff() < 4.5 * .1 / std::sqrt(kResets));
  CHECK((sd.head<9>() / position_sd - 1).abs().maxCoeff() < .06);  // 4.5 standard errors
  CHECK((sd.tail<9>() / .1 - 1).abs().maxCoeff() < .06);
  if (!rllab) {
    CHECK(largest.head<9>().maxCoeff() <= .1);
    CHECK(largest.head<9>().minCoeff() > .099);
  } else {
    CHECK(largest.head<9>().minCoeff() > .025);  // normal, not uniform
  }
  CHECK(largest.tail<9>().minCoeff() > .25);
}

TEST_CASE("rllab's half-cheetah is paid for, and sees, its centre of mass", "[envs][half_cheetah]") {
  const bool direction = GENERATE(false, true);
  HalfCheetah environment(direction ? half_cheetah_direction_rllab() : half_cheetah_velocity_rllab());
  const double goal = direction ? -1 : 1.3;
  environment.set_task(task(goal));
  Stream stream = test_stream(5);
  Eigen::VectorXf observation(20);
  environment.reset(stream, observation);
  for (int t = 0; t < 30; ++t) {
    const auto result = environment.step(3 * wave(t), stream, observation);
    const Eigen::VectorXd q = positions(environment.simulation()), v = velocities(environment.simulation());
    const Eigen::Vector3d centre = centre_of_mass(q);
    CHECK((observation.tail<3>().cast<double>() - centre).norm() < 1e-6);
    CHECK(observation[0] == Approx(q[1]).margin(1e-7));
    CHECK(observation[16] == Approx(v[8]).margin(1e-5));
    constexpr double h = 1e-6;  // seconds
    const double velocity = (centre_of_mass(q + h * v) - centre_of_mass(q - h * v)).x() / (2 * h);
    const double squares = (3 * wave(t)).cwiseMax(-1).cwiseMin(1).squaredNorm();
    const double run = direction ? goal * velocity : -std::abs(velocity - goal);
    CHECK(result.reward == Approx(run - .05 * squares).margin(1e-6));
    CHECK_FALSE(result.terminated);
  }
}

TEST_CASE("Gym's half-cheetah is paid for its way, and sees its torso one time step late",
          "[envs][half_cheetah]") {
  const bool direction = GENERATE(false, true);
  HalfCheetah environment(
      without_noise(direction ? half_cheetah_direction_gym() : half_cheetah_velocity_gym()));
  const double goal = direction ? -1 : .4;
  environment.set_task(task(goal));
  Stream stream = test_stream(6);
  Eigen::VectorXf observation(20);
  environment.reset(stream, observation);
  CHECK((observation.tail<3>() - Eigen::Vector3f(0, 0, .7f)).norm() < 1e-6);
  MujocoSimulation other(mujoco_model("half_cheetah"));
  other.reset();
  mj_forward(&other.model(), &other.data());
  for (int t = 0; t < 20; ++t) {
    const double before = other.data().qpos[0];
    const Eigen::VectorXf action = wave(t);
    for (int i = 0; i < 6; ++i) other.data().ctrl[i] = action[i];
    REQUIRE(other.step(4));
    const Eigen::Vector3d late(other.data().qpos[0], 0, .7 + other.data().qpos[1]);
    REQUIRE(other.step(1));
    const auto result = environment.step(action, stream, observation);
    REQUIRE(positions(environment.simulation()) == positions(other));
    CHECK((observation.tail<3>().cast<double>() - late).norm() < 1e-6);
    const double velocity = (other.data().qpos[0] - before) / (5 * kTimeStep);
    const double run = direction ? goal * velocity : -std::abs(velocity - goal);
    CHECK(result.reward == Approx(run - .05 * action.squaredNorm()).margin(1e-7));
  }
}

TEST_CASE("a half-cheetah's actions are scaled, then clipped, in its motors and in its cost",
          "[envs][half_cheetah]") {
  const auto def = GENERATE(
      values({half_cheetah_velocity_rllab(), half_cheetah_velocity_gym(), half_cheetah_velocity_promp()}));
  CAPTURE(def.name);
  const float full = def.name == "half_cheetah_velocity_promp" ? 10 : 1;
  const auto after = [&](float size) {
    HalfCheetah environment(def);
    environment.set_task(task(1));
    Stream stream = test_stream(7);
    Eigen::VectorXf observation(environment.spec().observation_size);
    environment.reset(stream, observation);
    const auto result = environment.step(Eigen::VectorXf::Constant(6, size), stream, observation);
    const double control = environment.simulation().data().ctrl[5];
    return std::tuple(control, result.reward, observation);
  };
  CHECK(std::get<0>(after(full / 2)) == Approx(.5));
  CHECK(std::get<0>(after(-full)) == -1);
  CHECK(after(full) == after(7 * full));
  CHECK(after(-full) == after(-7 * full));
  CHECK(after(full) != after(full / 2));
}

// `expected` are means of an independent program, over drawn goals. Their number of episodes is not known;
// taken for 200, three standard errors of its means cover all that ours adds.
TEST_CASE("half-cheetahs that do nothing or anything earn what they earned elsewhere",
          "[envs][half_cheetah]") {
  struct Row {
    HalfCheetahDef def;
    int64_t horizon;
    double action_scale, expected;
    bool random = true;
  };
  auto row = GENERATE(values<Row>({{half_cheetah_velocity_rllab(), 200, 1, -263.6},
                                   {half_cheetah_direction_rllab(), 200, 1, -33.3},
                                   {half_cheetah_velocity_gym(), 100, 1, -133.2},
                                   {half_cheetah_velocity_gym(), 100, 10, -99.7},
                                   {half_cheetah_velocity_gym(), 100, 1, -96.2, false},
                                   {half_cheetah_velocity_promp(), 200, 10, -291.3},
                                   {half_cheetah_direction_gym(), 100, 1, -16.4},
                                   {half_cheetah_direction_gym(), 100, 10, -.3}}));
  row.def.horizon = row.horizon;
  row.def.action_scale = row.action_scale;
  const Actor still = [](const Eigen::VectorXf&, Stream&) { return Eigen::VectorXf::Zero(6).eval(); };
  const auto actor = row.random ? random_actor(HalfCheetah(row.def).spec()) : still;
  const auto seen = returns(row.def, actor, 100);
  CAPTURE(row.def.name, row.action_scale, row.random, seen.mean, seen.deviation);
  CHECK(std::abs(seen.mean - row.expected) < 3 * seen.deviation / std::sqrt(200));
  // At rest, 100 steps at the mean distance of U(0, 2) from 0. The legs settle, which moves the root a
  // little.
  if (!row.random) CHECK(seen.mean == Approx(-100).margin(1));
}

TEST_CASE("a half-cheetah that diverges ends its episode, tells of it and goes on with the next",
          "[envs][half_cheetah]") {
  auto def = half_cheetah_velocity_gym();
  def.noise.velocity = 1e12;
  HalfCheetah environment(def);
  environment.set_task(task(1.25));
  Stream stream = test_stream(8);
  Eigen::VectorXf start(20), observation(20);
  for (int episode = 0; episode < 3; ++episode) {
    environment.reset(stream, start);
    CHECK(environment.failure().empty());
    const auto result = environment.step(Eigen::VectorXf::Zero(6), stream, observation);
    CHECK(result.terminated);
    CHECK(result.failed);
    CHECK(result.reward == 0);
    CHECK(observation == start);
    CHECK_THAT(environment.failure(),
               contains("diverged") && contains("velocity 1.25") && contains("MuJoCo warns"));
    CHECK_THROWS_WITH(environment.step(Eigen::VectorXf::Zero(6), stream, observation), contains("reset"));
  }
  CHECK_FALSE(std::filesystem::exists("MUJOCO_LOG.TXT"));
}

TEST_CASE("a half-cheetah refuses a direction that is none", "[envs][half_cheetah]") {
  HalfCheetah environment(half_cheetah_direction_gym());
  CHECK_THROWS_WITH(environment.set_task(task(.5)), contains("direction is 0.5") && contains("-1 or 1"));
  CHECK_NOTHROW(environment.set_task(task(-1)));
}

TEST_CASE("threads share one model and disturb one another in nothing", "[envs][mujoco]") {
  constexpr size_t kThreads = 4;
  std::array<const mjModel*, kThreads> models{};
  std::array<Episode, kThreads> episodes;
  const auto work = [&](size_t k) {
    models[k] = mujoco_model("half_cheetah").get();
    HalfCheetah environment(half_cheetah_velocity_rllab());
    for (uint64_t seed = 0; seed < 5; ++seed) episodes[k] = play_random(environment, seed, seed);
  };
  std::vector<std::thread> threads;
  for (size_t k = 0; k < kThreads; ++k) threads.emplace_back(work, k);
  for (auto& thread : threads) thread.join();
  for (size_t k = 1; k < kThreads; ++k) {
    CHECK(models[k] == models[0]);
    CHECK(episodes[k] == episodes[0]);
  }
}
