#include "envs/planar_walker.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

Eigen::VectorXd ones(const PlanarWalkerDef& def) {
  return Eigen::VectorXd::Ones(PlanarWalker(def).spec().task_size());
}

Eigen::VectorXd random_task(const Environment& environment, uint64_t seed) {
  Stream stream = test_stream(seed, 0, Purpose::kTask);
  return environment.sample_task(stream);
}

// All constants of the model that a task can change, and some that it must not.
std::vector<double> constants(const mjModel& m) {
  std::vector<double> out;
  const auto add = [&](const mjtNum* values, int64_t count) {
    out.insert(out.end(), values, values + count);
  };
  add(m.body_mass, m.nbody);
  add(m.body_inertia, 3 * m.nbody);
  add(m.body_subtreemass, m.nbody);
  add(m.geom_friction, 3 * m.ngeom);
  add(m.dof_damping, m.nv);
  add(m.dof_armature, m.nv);
  add(m.dof_invweight0, m.nv);
  add(m.body_invweight0, 2 * m.nbody);
  add(m.geom_size, 3 * m.ngeom);
  add(m.actuator_gear, 6 * m.nu);
  return out;
}

}  // namespace

TEST_CASE("hopper and walker are what the table says", "[envs][rand_params]") {
  const bool hopper = GENERATE(true, false);
  const auto environment = make_environment({.name = hopper ? "hopper_rand_params" : "walker2d_rand_params"});
  const auto& spec = environment->spec();
  CHECK(spec.observation_size == (hopper ? 11 : 17));
  CHECK(spec.action_size == (hopper ? 3 : 6));
  CHECK(spec.horizon == 200);
  CHECK(spec.step_seconds == Approx(hopper ? .008 : .016));
  CHECK(spec.task_size() == (hopper ? 34 : 58));
  CHECK(spec.task_parameters.front() == "mass_torso");
  CHECK(spec.task_parameters.back() == (hopper ? "damping_foot" : "damping_foot_left"));

  // log(multiplier) / log(base) is U(-3, 3) for every element by itself.
  constexpr int kTasks = 3000;
  Stream stream = test_stream(1);
  Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(spec.task_size()), squares = sum, low = sum + 9, high = -low;
  double together = 0;  // of the first two
  Eigen::ArrayXd bases(spec.task_size());
  for (int k = 0; k < spec.task_size(); ++k) {
    bases[k] = spec.task_parameters[static_cast<size_t>(k)].rfind("damping", 0) == 0 ? 1.3 : 1.5;
  }
  for (int k = 0; k < kTasks; ++k) {
    const Eigen::ArrayXd exponents = environment->sample_task(stream).array().log() / bases.log();
    sum += exponents / kTasks;
    squares += exponents.square() / kTasks;
    low = low.min(exponents);
    high = high.max(exponents);
    together += exponents[0] * exponents[1] / kTasks;
  }
  CHECK(low.minCoeff() > -3 - 1e-9);
  CHECK(low.maxCoeff() < -2.95);
  CHECK(high.maxCoeff() < 3 + 1e-9);
  CHECK(high.minCoeff() > 2.95);
  CHECK(sum.abs().maxCoeff() < 4.5 * std::sqrt(3 / double(kTasks)));
  CHECK((squares - 3).abs().maxCoeff() < .3);
  CHECK(std::abs(together) < 4.5 * 3 / std::sqrt(double(kTasks)));
}

TEST_CASE("a task multiplies its own model's constants, whatever the task before", "[envs][rand_params]") {
  const auto def = GENERATE(values({hopper_rand_params(), walker2d_rand_params()}));
  CAPTURE(def.name);
  const auto original = mujoco_model(def.model);
  const auto before = constants(*original);
  PlanarWalker environment(def), other(def);
  const auto& own = environment.simulation().model();
  REQUIRE(&own != original.get());
  REQUIRE(&own != &other.simulation().model());

  environment.set_task(ones(def));
  CHECK(constants(own) == before);
  for (uint64_t seed = 1; seed < 100; ++seed) environment.set_task(random_task(environment, seed));
  const auto task = random_task(environment, 5);
  environment.set_task(task);
  other.set_task(task);
  CHECK(constants(own) == constants(other.simulation().model()));  // to the last bit: nothing drifts
  environment.set_task(ones(def));
  CHECK(constants(own) == before);
  CHECK(constants(*original) == before);

  environment.set_task(task);
  const auto& names = environment.spec().task_parameters;
  const auto multiplier = [&](const std::string& name) {
    const auto at = std::find(names.begin(), names.end(), name);
    REQUIRE(at != names.end());
    return task[at - names.begin()];
  };
  const auto id = [&](mjtObj kind, const char* name) { return mj_name2id(&own, kind, name); };
  const int leg = id(mjOBJ_BODY, "leg"), foot = id(mjOBJ_GEOM, "foot"), floor = id(mjOBJ_GEOM, "floor");
  const int dof = own.jnt_dofadr[id(mjOBJ_JOINT, "thigh")];
  CHECK(own.body_mass[leg] == Approx(2.781356696 * multiplier("mass_leg")).epsilon(1e-8));
  CHECK(own.body_inertia[3 * leg + 1] == Approx(.07230254017 * multiplier("inertia_y_leg")).epsilon(1e-8));
  CHECK(own.geom_friction[3 * foot] ==
        Approx((def.model == "hopper" ? 2 : 1.9) * multiplier("friction_slide_foot")));
  CHECK(own.geom_friction[3 * floor + 2] ==
        Approx((def.model == "hopper" ? 1e-4 : .1) * multiplier("friction_roll_floor")));
  CHECK(own.dof_damping[dof] == Approx((def.model == "hopper" ? 1 : .1) * multiplier("damping_thigh")));
  double total = 0;
  for (int b = 1; b < own.nbody; ++b) total += own.body_mass[b];
  CHECK(own.body_subtreemass[1] == Approx(total));
  CHECK(own.opt.timestep == def.time_step);
}

TEST_CASE("hopper and walker are paid for their way and for staying up", "[envs][rand_params]") {
  const auto def = GENERATE(values({hopper_rand_params(), walker2d_rand_params()}));
  CAPTURE(def.name);
  PlanarWalker environment(def);
  environment.set_task(random_task(environment, 2));
  const auto& data = environment.simulation().data();
  const int64_t nq = environment.simulation().model().nq, motors = environment.simulation().model().nu;
  Stream stream = test_stream(3);
  Eigen::VectorXf observation(environment.spec().observation_size);
  environment.reset(stream, observation);
  for (int t = 0; t < 200; ++t) {
    Eigen::VectorXf action(motors);
    for (int i = 0; i < motors; ++i) action[i] = static_cast<float>(1.5 * std::sin(0.4 * t + i));
    const double before = data.qpos[0];
    const auto result = environment.step(action, stream, observation);
    const double u = (data.qpos[0] - before) / environment.spec().step_seconds;
    const double squares = action.cwiseMax(-1).cwiseMin(1).cast<double>().squaredNorm();
    CHECK(result.reward == Approx(u + 1 - .001 * squares).margin(1e-9));
    for (int k = 1; k < nq; ++k) CHECK(observation[k - 1] == static_cast<float>(data.qpos[k]));
    for (int k = 0; k < nq; ++k) {
      CHECK(observation[nq - 1 + k] == static_cast<float>(std::clamp(data.qvel[k], -10., 10.)));
    }
    const double height = data.qpos[1], lean = std::abs(data.qpos[2]);
    const bool healthy =
        def.model == "hopper" ? height > .7 && lean < .2 : height > .8 && height < 2 && lean < 1;
    REQUIRE(result.terminated == !healthy);
    if (result.terminated) break;
    REQUIRE(t < 199);  // this wild, they fall
  }
}

TEST_CASE("a hopper with a wild velocity is not healthy", "[envs][rand_params]") {
  auto def = hopper_rand_params();
  def.noise.velocity = 0;
  struct Placed : PlanarWalker {
    using PlanarWalker::PlanarWalker;
    void spin(double velocity) { data().qvel[5] = velocity; }  // of the foot
  } environment(def);
  environment.set_task(ones(def));
  Stream stream = test_stream(4);
  Eigen::VectorXf observation(11);
  for (const double velocity : {30., 300.}) {
    environment.reset(stream, observation);
    environment.spin(velocity);
    const auto result = environment.step(Eigen::VectorXf::Zero(3), stream, observation);
    const auto& data = environment.simulation().data();
    CAPTURE(velocity, data.qpos[1], data.qpos[2], data.qvel[5]);
    double fastest = 0;
    for (int k = 0; k < 6; ++k) fastest = std::max(fastest, std::abs(data.qvel[k]));
    CHECK(result.terminated == (fastest > 100 || std::abs(data.qpos[2]) >= .2));
    CHECK(result.terminated == (velocity > 100));
    REQUIRE(data.qvel[5] > 10);
    CHECK(observation[10] == 10);
    CHECK(observation[5] == static_cast<float>(data.qvel[0]));  // a slow one, as it is
  }
}

TEST_CASE("hopper and walker start upright but for a little noise", "[envs][rand_params]") {
  PlanarWalker environment(walker2d_rand_params());
  environment.set_task(ones(walker2d_rand_params()));
  Stream stream = test_stream(5);
  Eigen::VectorXf observation(17);
  Eigen::ArrayXf largest = Eigen::ArrayXf::Zero(17);
  for (int k = 0; k < 2000; ++k) {
    environment.reset(stream, observation);
    observation[0] -= 1.25f;
    largest = largest.max(observation.array().abs());
  }
  CHECK(largest.maxCoeff() <= .005f + 1e-6f);
  CHECK(largest.minCoeff() > .0049f);
}

TEST_CASE("a multiplier that is not above 0 is refused by its name", "[envs][rand_params]") {
  PlanarWalker environment(hopper_rand_params());
  Eigen::VectorXd task = ones(hopper_rand_params());
  task[1] = 0;
  CHECK_THROWS_WITH(environment.set_task(task), contains("mass_thigh") && contains("is 0"));
  task[1] = -1;
  CHECK_THROWS_AS(environment.set_task(task), Error);
}
