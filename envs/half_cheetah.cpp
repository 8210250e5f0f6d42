#include "envs/half_cheetah.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

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
      .position_noise = HalfCheetahDef::Noise::kNormal,
      .position_scale = 0.01};
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
    : def_(def),
      simulation_(mujoco_model(def.model)),
      torso_(mj_name2id(&simulation_.model(), mjOBJ_BODY, "torso")) {
  const mjModel& model = simulation_.model();
  require(model.nq == kPositions && model.nv == kPositions && model.nu == kMotors &&
              model.nbody == 1 + kBodies && torso_ == 1,
          def.name, ": the model '", def.model, "' has ", model.nq, " positions, ", model.nu, " motors, ",
          model.nbody - 1, " bodies, expected 9, 6 and 7, the first a 'torso'");
  spec_.name = def.name;
  spec_.description = def.description;
  spec_.observation_size = 2 * kPositions - 1 + (def.point == HalfCheetahDef::Point::kNone ? 0 : 3);
  spec_.action_size = kMotors;
  spec_.horizon = def.horizon;
  spec_.task_parameters = {def.task == HalfCheetahDef::Task::kVelocity ? "velocity" : "direction"};
  needs_centre_ = def.velocity == HalfCheetahDef::Velocity::kCentreOfMass ||
                  def.point == HalfCheetahDef::Point::kCentreOfMass;
  spec_.step_seconds = def.frame_skip * model.opt.timestep;
  observation_ = Eigen::VectorXf::Zero(spec_.observation_size);
  for (int k = 0; k < kBodies; ++k) {
    const int body = torso_ + k;
    const mjtNum* joint = model.body_pos + 3 * body;
    const mjtNum* centre = model.body_ipos + 3 * body;
    segments_[static_cast<size_t>(k)] = {.parent = model.body_parentid[body] - torso_,
                                         .mass_share = model.body_mass[body] / model.body_subtreemass[torso_],
                                         .joint = {joint[0], joint[2]},
                                         .centre = {centre[0], centre[2]}};
  }
}

Eigen::VectorXd HalfCheetah::sample_task(Stream& stream) const {
  const bool velocity = def_.task == HalfCheetahDef::Task::kVelocity;
  const double task = velocity ? stream.uniform(0, def_.max_velocity) : stream.below(2) == 0 ? -1 : 1;
  return Eigen::VectorXd::Constant(1, task);
}

void HalfCheetah::set_task(const Eigen::VectorXd& task) {
  require(task.size() == 1, spec_.name, ": task has ", task.size(), " entries, expected 1 (",
          join(spec_.task_parameters), ")");
  require(task.allFinite(), spec_.name, ": task (", task.transpose(), ") is not finite");
  require(def_.task == HalfCheetahDef::Task::kVelocity || std::abs(task[0]) == 1, spec_.name,
          ": direction is ", task[0], ", expected -1 or 1");
  task_ = task[0];
  has_task_ = true;
  running_ = false;
}

void HalfCheetah::reset(Stream& stream, ObservationRef observation) {
  require(has_task_, spec_.name, ": reset before a task was set, expected set_task first");
  check_observation(observation);
  simulation_.reset();
  mjData& data = simulation_.data();
  for (int k = 0; k < kPositions; ++k) {
    const double noise =
        def_.position_noise == HalfCheetahDef::Noise::kNormal ? stream.normal() : stream.uniform(-1, 1);
    data.qpos[k] += def_.position_scale * noise;
  }
  for (int k = 0; k < kPositions; ++k) data.qvel[k] += def_.velocity_scale * stream.normal();
  mj_forward(&simulation_.model(), &data);
  if (needs_centre_) compute_centre_of_mass();
  steps_ = 0;
  divergence_.clear();
  running_ = true;
  observe(observation);
}

StepResult HalfCheetah::step(const ActionRef& action, Stream&, ObservationRef observation) {
  require(running_, spec_.name, ": step before reset, expected set_task, reset, step");
  check_observation(observation);
  const mjData& data = simulation_.data();
  const double squared_action = apply(action);
  const double x_before = data.qpos[0];
  ++steps_;
  if (!simulation_.step(def_.frame_skip)) {
    divergence_ = concat(spec_.name, ": the simulation diverged in step ", steps_, " of an episode with ",
                         spec_.task_parameters[0], " ", task_, ": ", simulation_.trouble());
    running_ = false;
    observation = observation_;
    return {.terminated = true};
  }
  if (needs_centre_) compute_centre_of_mass();
  const double velocity = def_.velocity == HalfCheetahDef::Velocity::kCentreOfMass
                              ? centre_velocity_.x()
                              : (data.qpos[0] - x_before) / spec_.step_seconds;
  observe(observation);
  return {.reward = run_reward(velocity) - kControlCost * squared_action};
}

double HalfCheetah::apply(const ActionRef& action) {
  if (action.size() != kMotors) {
    throw Error(concat(spec_.name, ": action has ", action.size(), " entries, expected ", kMotors));
  }
  if (!action.allFinite()) {
    throw Error(
        concat(spec_.name, ": action (", action.transpose(), ") is not finite, expected finite numbers"));
  }
  double squared = 0;
  for (int k = 0; k < kMotors; ++k) {
    const double a = std::clamp(action[k] / def_.action_scale, -1.0, 1.0);
    simulation_.data().ctrl[k] = a;
    squared += a * a;
  }
  return squared;
}

TaskMark HalfCheetah::task_mark() const {
  using Kind = TaskMark::Kind;
  return {def_.task == HalfCheetahDef::Task::kVelocity ? Kind::kVelocity : Kind::kDirection, {task_, 0}};
}

double HalfCheetah::run_reward(double velocity) const {
  return def_.task == HalfCheetahDef::Task::kVelocity ? -std::abs(velocity - task_) : task_ * velocity;
}

// A turn by `angle` about y, in the coordinates (x, z): [cos sin; -sin cos]. Its rate of change for a point
// that it took to r is the angle's rate times (r.z, -r.x).
void HalfCheetah::compute_centre_of_mass() {
  struct Frame {
    Eigen::Vector2d position, velocity;
    double angle, rate, cosine, sine;
    Eigen::Vector2d turn(const Eigen::Vector2d& r) const {
      return {cosine * r.x() + sine * r.y(), cosine * r.y() - sine * r.x()};
    }
    Eigen::Vector2d turning(const Eigen::Vector2d& turned) const {
      return {rate * turned.y(), -rate * turned.x()};
    }
  };
  const mjtNum* q = simulation_.data().qpos;
  const mjtNum* v = simulation_.data().qvel;
  std::array<Frame, kBodies> frames;
  centre_.setZero();
  centre_velocity_.setZero();
  for (size_t k = 0; k < segments_.size(); ++k) {
    const Segment& segment = segments_[k];
    Frame& frame = frames[k];
    frame.angle = q[k + 2];  // after rootx and rootz
    frame.rate = v[k + 2];
    if (segment.parent < 0) {
      frame.position = segment.joint + Eigen::Vector2d(q[0], q[1]);
      frame.velocity = {v[0], v[1]};
    } else {
      const Frame& parent = frames[static_cast<size_t>(segment.parent)];
      const Eigen::Vector2d joint = parent.turn(segment.joint);
      frame.position = parent.position + joint;
      frame.velocity = parent.velocity + parent.turning(joint);
      frame.angle += parent.angle;
      frame.rate += parent.rate;
    }
    frame.cosine = std::cos(frame.angle);
    frame.sine = std::sin(frame.angle);
    const Eigen::Vector2d centre = frame.turn(segment.centre);
    centre_ += segment.mass_share * (frame.position + centre);
    centre_velocity_ += segment.mass_share * (frame.velocity + frame.turning(centre));
  }
}

void HalfCheetah::observe(ObservationRef observation) {
  const mjData& data = simulation_.data();
  using Values = Eigen::Map<const Eigen::VectorXd>;
  observation_.head<kPositions - 1>() = Values(data.qpos + 1, kPositions - 1).cast<float>();
  observation_.segment<kPositions>(kPositions - 1) = Values(data.qvel, kPositions).cast<float>();
  if (def_.point == HalfCheetahDef::Point::kCentreOfMass) {
    observation_.tail<3>() = Eigen::Vector3d(centre_.x(), 0, centre_.y()).cast<float>();
  } else if (def_.point == HalfCheetahDef::Point::kLaggingTorso) {
    observation_.tail<3>() = Values(data.xpos + 3 * torso_, 3).cast<float>();
  }
  observation = observation_;
}

void HalfCheetah::check_observation(const ObservationRef& observation) const {
  if (observation.size() == spec_.observation_size) return;
  throw Error(concat(spec_.name, ": room for an observation of ", observation.size(), " entries, expected ",
                     spec_.observation_size));
}

}  // namespace innerloop
