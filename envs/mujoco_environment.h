// What all MuJoCo environments do alike: the order of calls and the sizes, actions scaled and clipped for the
// motors, the noise of the start, and the end of an episode whose simulation diverges.
//
// action  one entry per motor: a = clip(action / scale, -1, 1); the motor's control is a times the upper end
//         of its (symmetric) range. What an action costs is a matter of |a|^2.
// start   the model's key frame, or its initial state if it has none, plus noise in every entry of q and v;
//         quaternions are of length 1 again; all derived quantities are those of this state
//
// Divergence: if MuJoCo warns, or a position or velocity is not finite or beyond 10^6, the episode terminates
// with reward 0 for that step and the last observation again; the step is `failed`, and failure() has the
// cause. The next episode is not affected.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "envs/call_checks.h"
#include "envs/environment.h"
#include "envs/mujoco_model.h"
#include "envs/mujoco_scene.h"

namespace innerloop {

struct StartNoise {
  enum class Kind { kNormal, kUniform };
  Kind position_kind = Kind::kUniform;
  double position = 0;  // standard deviation or half-width, of every entry of q
  Kind velocity_kind = Kind::kNormal;
  double velocity = 0;  // of v
};

class MujocoEnvironment : public Environment, public MujocoScene {
 public:
  const EnvironmentSpec& spec() const override { return spec_; }
  void set_task(const Eigen::VectorXd& task) override;
  void reset(Stream& stream, ObservationRef observation) override;
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override;
  std::string failure() const override { return failure_; }
  const MujocoSimulation& simulation() const override { return simulation_; }

 protected:
  // A step is `frame_skip` of the model's time steps. What depends on the environment is left to it: name,
  // description, observation size, horizon and task parameters of spec_.
  MujocoEnvironment(std::shared_ptr<const mjModel> model, int frame_skip, double action_scale,
                    const StartNoise& noise);

  // The task is of the right size, and finite. Throws for one that makes no sense.
  virtual void check_task(const Eigen::VectorXd& task) const = 0;
  virtual void take_task() {}  // task() is a new one
  // After the start and after each step: computes what reward and observation need beyond MuJoCo's time step.
  virtual void derive() {}
  // Metres along x, of whatever it is whose way over a step is the velocity.
  virtual double place() const { return data().qpos[0]; }
  // After a step and derive(): `velocity` is the change of place() over the time of the step, in m/s.
  virtual StepResult judge(double velocity, double squared_action) const = 0;
  virtual void observe(Eigen::VectorXf& observation) const = 0;

  const Eigen::VectorXd& task() const { return task_; }
  const mjModel& model() const { return simulation_.model(); }
  const mjData& data() const { return simulation_.data(); }
  mjData& data() { return simulation_.data(); }
  void forward() { simulation_.forward(); }
  void require_direction(double direction) const;  // -1 or +1
  static std::vector<Eigen::VectorXd> both_directions();
  static std::string direction_text(double direction) { return direction > 0 ? "forward" : "backward"; }

  EnvironmentSpec spec_;

 private:
  double apply(const ActionRef& action);  // sets the motors; returns |a|^2

  MujocoSimulation simulation_;
  int frame_skip_;
  double action_scale_;
  StartNoise noise_;
  Eigen::VectorXd task_;
  CallChecks checks_;
  std::string failure_;
  Eigen::VectorXf observation_;  // the last one
};

}  // namespace innerloop
