#include "envs/half_cheetah.h"

#include <cmath>

#include "base/error.h"
#include "base/sine_cosine.h"

namespace innerloop {
namespace {

constexpr int kPositions = 9;  // and velocities; the first is rootx
constexpr int kMotors = 6;
constexpr double kControlCost = 0.05;
constexpr int kBodies = HalfCheetah::kBodies;

}  // namespace

HalfCheetahDef half_cheetah_velocity_rllab() {
  return {
      .name = "half_cheetah_velocity_rllab",
      .description = "MuJoCo half-cheetah, goal velocities U(0, 2) m/s, steps of 0.01 s (MAML paper's code)",
      .frame_skip = 1,
      .velocity = HalfCheetahDef::Velocity::kCentreOfMass,
      .point = HalfCheetahDef::Point::kCentreOfMass,
      .noise = {.position_kind = StartNoise::Kind::kNormal, .position = 0.01, .velocity = 0.1}};
}

HalfCheetahDef half_cheetah_direction_rllab() {
  HalfCheetahDef def = half_cheetah_velocity_rllab();
  def.name = "half_cheetah_direction_rllab";
  def.description = "MuJoCo half-cheetah, forward or backward, steps of 0.01 s (MAML paper's code)";
  def.task = HalfCheetahDef::Task::kDirection;
  return def;
}

HalfCheetahDef half_cheetah_velocity_gym() {
  return {.name = "half_cheetah_velocity_gym",
          .description = "MuJoCo half-cheetah, goal velocities U(0, 2) m/s, steps of 0.05 s (Gym ports)"};
}

HalfCheetahDef half_cheetah_direction_gym() {
  HalfCheetahDef def = half_cheetah_velocity_gym();
  def.name = "half_cheetah_direction_gym";
  def.description = "MuJoCo half-cheetah, forward or backward, steps of 0.05 s (Gym ports)";
  def.task = HalfCheetahDef::Task::kDirection;
  return def;
}

HalfCheetahDef half_cheetah_velocity_promp() {
  HalfCheetahDef def = half_cheetah_velocity_gym();
  def.name = "half_cheetah_velocity_promp";
  def.description =
      "MuJoCo half-cheetah, goal velocities U(0, 3) m/s, steps of 0.05 s, actions over 10 (ProMP)";
  def.horizon = 100;
  def.max_velocity = 3;
  def.point = HalfCheetahDef::Point::kNone;
  def.action_scale = 10;
  return def;
}

HalfCheetah::HalfCheetah(const HalfCheetahDef& def)
    : MujocoEnvironment(mujoco_model(def.model), def.frame_skip, def.action_scale, def.noise),
      def_(def),
      torso_(mj_name2id(&model(), mjOBJ_BODY, "torso")) {
  require(model().nq == kPositions && model().nv == kPositions && model().nu == kMotors &&
              model().nbody == 1 + kBodies && torso_ == 1,
          def.name, ": the model '", def.model, "' has ", model().nq, " positions, ", model().nu, " motors, ",
          model().nbody - 1, " bodies, expected 9, 6 and 7, the first a 'torso'");
  spec_.name = def.name;
  spec_.description = def.description;
  spec_.observation_size = 2 * kPositions - 1 + (def.point == HalfCheetahDef::Point::kNone ? 0 : 3);
  spec_.horizon = def.horizon;
  spec_.task_parameters = {def.task == HalfCheetahDef::Task::kVelocity ? "velocity" : "direction"};
  needs_centre_ = def.velocity == HalfCheetahDef::Velocity::kCentreOfMass ||
                  def.point == HalfCheetahDef::Point::kCentreOfMass;
  for (int k = 0; k < kBodies; ++k) {
    const int body = torso_ + k;
    const mjtNum* joint = model().body_pos + 3 * body;
    const mjtNum* centre = model().body_ipos + 3 * body;
    segments_[static_cast<size_t>(k)] = {
        .parent = model().body_parentid[body] - torso_,
        .mass_share = model().body_mass[body] / model().body_subtreemass[torso_],
        .joint = {joint[0], joint[2]},
        .centre = {centre[0], centre[2]}};
  }
}

Eigen::VectorXd HalfCheetah::sample_task(Stream& stream) const {
  const bool velocity = def_.task == HalfCheetahDef::Task::kVelocity;
  const double task = velocity ? stream.uniform(0, def_.max_velocity) : stream.below(2) == 0 ? -1 : 1;
  return Eigen::VectorXd::Constant(1, task);
}

void HalfCheetah::check_task(const Eigen::VectorXd& task) const {
  if (def_.task == HalfCheetahDef::Task::kDirection) require_direction(task[0]);
}

std::vector<Eigen::VectorXd> HalfCheetah::finite_tasks() const {
  if (def_.task == HalfCheetahDef::Task::kDirection) return both_directions();
  return {};
}

std::string HalfCheetah::task_text(const Eigen::VectorXd& task) const {
  if (def_.task == HalfCheetahDef::Task::kDirection) return direction_text(task[0]);
  return two_digits(task[0]) + " m/s";
}

TaskMark HalfCheetah::task_mark() const {
  using Kind = TaskMark::Kind;
  return {def_.task == HalfCheetahDef::Task::kVelocity ? Kind::kVelocity : Kind::kDirection, {task()[0], 0}};
}

StepResult HalfCheetah::judge(double velocity, double squared_action) const {
  const double u = def_.velocity == HalfCheetahDef::Velocity::kCentreOfMass ? centre_velocity_.x() : velocity;
  const double run = def_.task == HalfCheetahDef::Task::kVelocity ? -std::abs(u - task()[0]) : task()[0] * u;
  return {.reward = run - kControlCost * squared_action};
}

// A turn by `angle` about y, in the coordinates (x, z): [cos sin; -sin cos]. Its rate of change for a point
// that it took to r is the angle's rate times (r.z, -r.x).
void HalfCheetah::derive() {
  if (!needs_centre_) return;
  const mjtNum* q = data().qpos;
  const mjtNum* v = data().qvel;
  std::array<double, kBodies + 1> angles{}, rates{}, sines, cosines;  // eight fill vector registers
  for (size_t k = 0; k < kBodies; ++k) {
    const int parent = segments_[k].parent;
    const auto above = static_cast<size_t>(parent);
    angles[k] = q[k + 2] + (parent < 0 ? 0 : angles[above]);  // after rootx and rootz
    rates[k] = v[k + 2] + (parent < 0 ? 0 : rates[above]);
  }
  sine_cosine(angles, sines, cosines);
  const auto turn = [&](size_t k, const Eigen::Vector2d& r) -> Eigen::Vector2d {
    return {cosines[k] * r.x() + sines[k] * r.y(), cosines[k] * r.y() - sines[k] * r.x()};
  };
  const auto turning = [&](size_t k, const Eigen::Vector2d& turned) -> Eigen::Vector2d {
    return {rates[k] * turned.y(), -rates[k] * turned.x()};
  };
  std::array<Eigen::Vector2d, kBodies> positions, velocities;
  centre_.setZero();
  centre_velocity_.setZero();
  for (size_t k = 0; k < kBodies; ++k) {
    const Segment& segment = segments_[k];
    if (segment.parent < 0) {
      positions[k] = segment.joint + Eigen::Vector2d(q[0], q[1]);
      velocities[k] = {v[0], v[1]};
    } else {
      const auto parent = static_cast<size_t>(segment.parent);
      const Eigen::Vector2d joint = turn(parent, segment.joint);
      positions[k] = positions[parent] + joint;
      velocities[k] = velocities[parent] + turning(parent, joint);
    }
    const Eigen::Vector2d centre = turn(k, segment.centre);
    centre_ += segment.mass_share * (positions[k] + centre);
    centre_velocity_ += segment.mass_share * (velocities[k] + turning(k, centre));
  }
}

void HalfCheetah::observe(Eigen::VectorXf& observation) const {
  using Values = Eigen::Map<const Eigen::VectorXd>;
  observation.head<kPositions - 1>() = Values(data().qpos + 1, kPositions - 1).cast<float>();
  observation.segment<kPositions>(kPositions - 1) = Values(data().qvel, kPositions).cast<float>();
  if (def_.point == HalfCheetahDef::Point::kCentreOfMass) {
    observation.tail<3>() = Eigen::Vector3d(centre_.x(), 0, centre_.y()).cast<float>();
  } else if (def_.point == HalfCheetahDef::Point::kLaggingTorso) {
    observation.tail<3>() = Values(data().xpos + 3 * torso_, 3).cast<float>();
  }
}

}  // namespace innerloop
