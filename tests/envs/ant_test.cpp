#include "envs/ant.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

constexpr int kForces = 29, kRotation = 113, kPoint = 122;  // first entries in an observation
constexpr double kInf = std::numeric_limits<double>::infinity();

Eigen::VectorXf wave(int t) {
  Eigen::VectorXf action(8);
  for (int i = 0; i < 8; ++i) action[i] = static_cast<float>(1.4 * std::sin(0.3 * t + i));
  return action;
}

Eigen::Map<const Eigen::VectorXd> positions(const MujocoSimulation& s) { return {s.data().qpos, 15}; }
Eigen::Map<const Eigen::VectorXd> velocities(const MujocoSimulation& s) { return {s.data().qvel, 14}; }

// The ant's centre of mass, from the bodies' masses and MuJoCo's kinematics only.
Eigen::Vector3d centre_of_mass(const mjModel& model, const Eigen::VectorXd& q) {
  MujocoSimulation other(mujoco_model("ant_rllab"));
  other.reset();
  Eigen::Map<Eigen::VectorXd>(other.data().qpos, 15) = q;
  mj_kinematics(&model, &other.data());
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  double mass = 0;
  for (int b = 1; b < model.nbody; ++b) {
    sum += model.body_mass[b] * Eigen::Map<Eigen::Vector3d>(other.data().xipos + 3 * b);
    mass += model.body_mass[b];
  }
  return sum / mass;
}

// q after `h` seconds at the velocities v.
Eigen::VectorXd moved(const mjModel& model, Eigen::VectorXd q, const Eigen::VectorXd& v, double h) {
  mj_integratePos(&model, q.data(), v.data(), h);
  return q;
}

double costs(const Eigen::VectorXf& action, const Eigen::VectorXf& observation) {
  const double squares = action.cwiseMax(-1).cwiseMin(1).cast<double>().squaredNorm();
  return .005 * squares + .0005 * observation.segment<84>(kForces).cast<double>().squaredNorm();
}

Eigen::VectorXd a_task(const AntDef& def) {
  if (def.task == AntDef::Task::kGoal) return Eigen::Vector2d(1.5, -.75);
  return Eigen::VectorXd::Constant(1, def.task == AntDef::Task::kVelocity ? .7 : -1);
}

double run(const AntDef& def, double velocity, const Eigen::Vector3d& point) {
  const auto task = a_task(def);
  if (def.task == AntDef::Task::kVelocity) return 1 - std::abs(velocity - task[0]);
  if (def.task == AntDef::Task::kDirection) return task[0] * velocity;
  return 4 - std::abs(point.x() - task[0]) - std::abs(point.y() - task[1]);
}

}  // namespace

TEST_CASE("each ant is what the table says", "[envs][ant]") {
  const auto def = GENERATE(values({ant_velocity_rllab(), ant_direction_rllab(), ant_goal_rllab(),
                                    ant_velocity_gym(), ant_direction_gym(), ant_goal_gym()}));
  CAPTURE(def.name);
  const bool rllab = def.name.find("rllab") != std::string::npos;
  const auto environment = make_environment({.name = def.name});
  const auto& spec = environment->spec();
  CHECK(spec.observation_size == 125);
  CHECK(spec.action_size == 8);
  CHECK(spec.horizon == (rllab ? 200 : 100));
  CHECK(spec.step_seconds == Approx(rllab ? .02 : .05));
  CHECK(def.action_scale == (rllab ? 1 : 10));

  Stream stream = test_stream(1);
  constexpr int kTasks = 4000;
  Eigen::ArrayXd mean = Eigen::ArrayXd::Zero(spec.task_size()), low = mean + kInf, high = -low;
  for (int k = 0; k < kTasks; ++k) {
    const Eigen::ArrayXd task = environment->sample_task(stream).array();
    if (def.task == AntDef::Task::kDirection) REQUIRE(std::abs(task[0]) == 1);
    low = low.min(task);
    high = high.max(task);
    mean += task / kTasks;
  }
  const double least = def.task == AntDef::Task::kVelocity ? 0 : def.task == AntDef::Task::kGoal ? -3 : -1;
  const double most = def.task == AntDef::Task::kDirection ? 1 : 3;
  CHECK((low >= least).all());
  CHECK((low < least + .01).all());
  CHECK((high <= most).all());
  CHECK((high > most - .01).all());
  const double sd = def.task == AntDef::Task::kDirection ? 1 : (most - least) / std::sqrt(12);
  CHECK(((mean - (least + most) / 2).abs() < 4 * sd / std::sqrt(kTasks)).all());
  CHECK(spec.task_parameters == (def.task == AntDef::Task::kVelocity ? std::vector<std::string>{"velocity"}
                                 : def.task == AntDef::Task::kDirection
                                     ? std::vector<std::string>{"direction"}
                                     : std::vector<std::string>{"goal_x", "goal_y"}));
}

TEST_CASE("rllab's ant stands on its feet at the start, Gym's does not", "[envs][ant]") {
  const bool rllab = GENERATE(true, false);
  auto def = rllab ? ant_velocity_rllab() : ant_velocity_gym();
  def.noise.position = def.noise.velocity = 0;
  Ant still(def);
  still.set_task(a_task(def));
  Stream stream = test_stream(2);
  Eigen::VectorXf observation(125);
  still.reset(stream, observation);
  Eigen::VectorXf start(15);
  if (rllab) start << 0, 0, .55f, 1, 0, 0, 0, 0, 1, 0, -1, 0, -1, 0, 1;
  if (!rllab) start << 0, 0, .75f, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0;
  CHECK(observation.head<15>() == start);
  CHECK(observation.segment<14>(15).isZero());

  def.noise = (rllab ? ant_velocity_rllab() : ant_velocity_gym()).noise;
  Ant noisy(def);
  noisy.set_task(a_task(def));
  constexpr int kResets = 2000;
  Eigen::ArrayXd squares = Eigen::ArrayXd::Zero(29);
  for (int k = 0; k < kResets; ++k) {
    noisy.reset(stream, observation);
    REQUIRE(observation.segment<4>(3).norm() == Approx(1).epsilon(1e-6));
    Eigen::ArrayXf state = observation.head<29>().array();
    state.head<15>() -= start.array();
    squares += state.cast<double>().square() / kResets;
  }
  const double sd = rllab ? .01 : .1 / std::sqrt(3);
  const Eigen::ArrayXd found = squares.sqrt();
  CHECK((found.head<3>() / sd - 1).abs().maxCoeff() < .08);  // 5 standard errors
  CHECK((found.segment<8>(7) / sd - 1).abs().maxCoeff() < .08);
  CHECK((found.tail<14>() / .1 - 1).abs().maxCoeff() < .08);
}

TEST_CASE("rllab's ant is paid for, and sees, what is true at the end of its step", "[envs][ant]") {
  const auto def = GENERATE(values({ant_velocity_rllab(), ant_direction_rllab(), ant_goal_rllab()}));
  CAPTURE(def.name);
  Ant environment(def);
  environment.set_task(a_task(def));
  const auto& simulation = environment.simulation();
  const mjModel& model = simulation.model();
  Stream stream = test_stream(3);
  Eigen::VectorXf observation(125);
  environment.reset(stream, observation);
  double contact = 0;
  for (int t = 0; t < 40; ++t) {
    const auto result = environment.step(wave(t), stream, observation);
    const Eigen::VectorXd q = positions(simulation), v = velocities(simulation);
    CHECK(simulation.data().ctrl[0] == Approx(150 * std::clamp<double>(wave(t)[0], -1, 1)));
    CHECK(observation.head<15>() == q.cast<float>());
    CHECK(observation.segment<14>(15) == v.cast<float>());
    const Eigen::Vector3d centre = centre_of_mass(model, q);
    CHECK((observation.segment<3>(kPoint).cast<double>() - centre).norm() < 1e-6);
    Eigen::Matrix<double, 9, 1> rotation;
    mju_quat2Mat(rotation.data(), q.data() + 3);
    CHECK((observation.segment<9>(kRotation).cast<double>() - rotation).norm() < 1e-6);
    constexpr double h = 1e-6;  // seconds
    const double u =
        (centre_of_mass(model, moved(model, q, v, h)) - centre_of_mass(model, moved(model, q, v, -h))).x() /
        (2 * h);
    CHECK(result.reward == Approx(run(def, u, centre) - costs(wave(t), observation) + .05).margin(1e-5));
    contact += observation.segment<84>(kForces).squaredNorm();
    REQUIRE(observation.segment<84>(kForces).cwiseAbs().maxCoeff() <= 1);
    if (result.terminated) break;
  }
  CHECK(contact > 0);
}

TEST_CASE("Gym's ant is paid for its torso's way", "[envs][ant]") {
  auto def = GENERATE(values({ant_velocity_gym(), ant_direction_gym(), ant_goal_gym()}));
  CAPTURE(def.name);
  def.noise.position = 0;  // a quaternion of length 1 to the last bit, for the comparison
  Ant environment(def);
  environment.set_task(a_task(def));
  MujocoSimulation other(mujoco_model("ant"));
  const mjModel& model = other.model();
  Stream stream = test_stream(4);
  Eigen::VectorXf observation(125);
  environment.reset(stream, observation);
  other.reset();
  std::copy_n(environment.simulation().data().qpos, 15, other.data().qpos);
  std::copy_n(environment.simulation().data().qvel, 14, other.data().qvel);
  mj_forward(&model, &other.data());
  double contact = 0;
  for (int t = 0; t < 40; ++t) {
    const Eigen::VectorXf action = 10 * wave(t);
    const double before = other.data().xpos[3];
    for (int i = 0; i < 8; ++i) other.data().ctrl[i] = std::clamp(action[i] / 10., -1., 1.);
    REQUIRE(other.step(5));
    const auto result = environment.step(action, stream, observation);
    REQUIRE(positions(environment.simulation()) == positions(other));
    const Eigen::Map<const Eigen::Vector3d> point(other.data().xpos + 3);
    CHECK((observation.segment<3>(kPoint).cast<double>() - point).norm() < 1e-6);
    const double u = (point.x() - before) / .05;
    CHECK(result.reward == Approx(run(def, u, point) - costs(wave(t), observation) + .05).margin(1e-5));
    contact += observation.segment<84>(kForces).squaredNorm();
    if (result.terminated) break;
  }
  CHECK(contact > 0);
}

TEST_CASE("an ant's contact forces carry its weight", "[envs][ant]") {
  auto def = ant_velocity_rllab();
  def.noise.position = def.noise.velocity = 0;
  Ant environment(def);
  environment.set_task(a_task(def));
  Stream stream = test_stream(5);
  Eigen::VectorXf observation(125);
  environment.reset(stream, observation);
  for (int t = 0; t < 400; ++t) {
    REQUIRE_FALSE(environment.step(Eigen::VectorXf::Zero(8), stream, observation).terminated);
  }
  // At rest, before clipping (its weight is 8.9 N).
  const auto& data = environment.simulation().data();
  double up = 0;
  for (int b = 0; b < 14; ++b) up += data.cfrc_ext[6 * b + 5];
  CHECK(up == Approx(.9108800827 * 9.81).epsilon(.01));
}

TEST_CASE("an ant's episode ends where its torso is too low or too high", "[envs][ant]") {
  struct Lifted : Ant {
    using Ant::Ant;
    bool ends_at(double height) {
      data().qpos[2] = height;
      return judge(0, 0).terminated;
    }
  } environment(ant_velocity_gym());
  environment.set_task(a_task(ant_velocity_gym()));
  Stream stream = test_stream(6);
  Eigen::VectorXf observation(125);
  environment.reset(stream, observation);
  CHECK(environment.ends_at(.1999));
  CHECK_FALSE(environment.ends_at(.2001));
  CHECK_FALSE(environment.ends_at(.9999));
  CHECK(environment.ends_at(1.0001));
}

TEST_CASE("an ant that diverges ends its episode and goes on with the next", "[envs][ant]") {
  auto def = GENERATE(values({ant_goal_rllab(), ant_goal_gym()}));
  def.noise.velocity = 1e12;
  Ant environment(def);
  environment.set_task(a_task(def));
  Stream stream = test_stream(7);
  Eigen::VectorXf observation(125);
  for (int episode = 0; episode < 2; ++episode) {
    environment.reset(stream, observation);
    const auto result = environment.step(Eigen::VectorXf::Zero(8), stream, observation);
    CHECK((result.terminated && result.failed && result.reward == 0 && observation.allFinite()));
    CHECK_THAT(environment.failure(), contains("goal_x 1.5, goal_y -0.75") && contains("MuJoCo warns"));
  }
}

TEST_CASE("an ant refuses a direction that is none", "[envs][ant]") {
  Ant environment(ant_direction_gym());
  CHECK_THROWS_WITH(environment.set_task(Eigen::VectorXd::Constant(1, .5)), contains("direction is 0.5"));
}
