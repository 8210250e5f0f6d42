#include "envs/mujoco_environment.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace innerloop {
namespace {

void add_noise(mjtNum* values, int64_t count, StartNoise::Kind kind, double scale, Stream& stream) {
  for (int64_t k = 0; k < count; ++k) {
    values[k] += scale * (kind == StartNoise::Kind::kNormal ? stream.normal() : stream.uniform(-1, 1));
  }
}

// "velocity 1.25"; nothing where a task is too long to be read in a line.
std::string words(const EnvironmentSpec& spec, const Eigen::VectorXd& task) {
  constexpr int64_t kLongest = 3;
  std::string text;
  for (int64_t k = 0; k < spec.task_size() && spec.task_size() <= kLongest; ++k) {
    text += concat(k == 0 ? " with " : ", ", spec.task_parameters[static_cast<size_t>(k)], " ", task[k]);
  }
  return text;
}

}  // namespace

MujocoEnvironment::MujocoEnvironment(std::shared_ptr<const mjModel> model, int frame_skip,
                                     double action_scale, const StartNoise& noise)
    : simulation_(std::move(model)), frame_skip_(frame_skip), action_scale_(action_scale), noise_(noise) {
  spec_.action_size = simulation_.model().nu;
  spec_.step_seconds = frame_skip * simulation_.model().opt.timestep;
}

void MujocoEnvironment::set_task(const Eigen::VectorXd& task) {
  CallChecks::check_task(spec_, task);
  check_task(task);
  checks_.set_task(spec_, task);
  task_ = task;
  take_task();
}

void MujocoEnvironment::reset(Stream& stream, ObservationRef observation) {
  checks_.reset(spec_, observation);
  simulation_.reset();
  if (model().nkey > 0) std::copy_n(model().key_qpos, model().nq, data().qpos);
  add_noise(data().qpos, model().nq, noise_.position_kind, noise_.position, stream);
  add_noise(data().qvel, model().nv, noise_.velocity_kind, noise_.velocity, stream);
  mj_normalizeQuat(&model(), data().qpos);
  forward();
  derive();
  failure_.clear();
  observation_.resize(spec_.observation_size);
  observe(observation_);
  observation = observation_;
}

StepResult MujocoEnvironment::step(const ActionRef& action, Stream&, ObservationRef observation) {
  checks_.step(spec_, action, observation);
  const double squared_action = apply(action);
  const double before = place();
  if (!simulation_.step(frame_skip_)) {
    failure_ = concat("the simulation diverged", words(spec_, task_), ": ", simulation_.trouble());
    checks_.stop();
    observation = observation_;
    return {.terminated = true, .failed = true};
  }
  derive();
  const StepResult result = judge((place() - before) / spec_.step_seconds, squared_action);
  observe(observation_);
  observation = observation_;
  return result;
}

double MujocoEnvironment::apply(const ActionRef& action) {
  mjtNum* const controls = data().ctrl;
  const mjtNum* const range = model().actuator_ctrlrange;
  double squared = 0;
  for (int k = 0; k < action.size(); ++k) {
    const double a = std::clamp(action[k] / action_scale_, -1.0, 1.0);
    controls[k] = a * range[2 * k + 1];
    squared += a * a;
  }
  return squared;
}

void MujocoEnvironment::require_direction(double direction) const {
  require(std::abs(direction) == 1, spec_.name, ": direction is ", direction, ", expected -1 or 1");
}

std::vector<Eigen::VectorXd> MujocoEnvironment::both_directions() {
  return {Eigen::VectorXd::Constant(1, 1), Eigen::VectorXd::Constant(1, -1)};
}

}  // namespace innerloop
