// The interface of every task-distribution environment. Eigen only; no torch in this room.
//
// An environment is a Markov decision process that depends on a task (a goal, a velocity, a set of masses). A
// task is a value: a vector of numbers whose names stand in the specification. Randomness comes in by
// argument, so the same streams give the same episode.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/settings.h"

namespace innerloop {

using ObservationRef = Eigen::Ref<Eigen::VectorXf>;
using ActionRef = Eigen::Ref<const Eigen::VectorXf>;

enum class ActionKind { kContinuous, kDiscrete };

struct EnvironmentSpec {
  std::string name;
  std::string description;  // one line for `innerloop list environments`
  int64_t observation_size = 0;
  ActionKind action_kind = ActionKind::kContinuous;
  int64_t action_size = 0;                   // continuous: dimensions; discrete: number of choices
  int64_t horizon = 0;                       // steps after which an episode is cut; T_i's H
  std::vector<std::string> task_parameters;  // name of each entry of a task, e.g. {"goal_x", "goal_y"}
  // For pictures, all or none: "observation_0", ... and "action_0", ... where they are not given.
  std::vector<std::string> observation_names{}, action_names{};
  double step_seconds = 0;       // simulated time of one step, so that videos run in real time
  bool defines_success = false;  // StepResult::success means something

  int64_t task_size() const { return static_cast<int64_t>(task_parameters.size()); }
  // Entries of one action vector: a discrete action is one number, the index of the choice.
  int64_t action_entries() const { return action_kind == ActionKind::kDiscrete ? 1 : action_size; }
};

struct StepResult {
  double reward = 0;
  bool terminated = false;  // the episode ended by itself (not by the horizon, which the caller counts)
  bool success = false;     // the task's own criterion held at this step
  bool failed = false;      // terminated by an accident of the simulation, of which failure() tells
};

class Environment {
 public:
  virtual ~Environment() = default;
  virtual const EnvironmentSpec& spec() const = 0;
  virtual Eigen::VectorXd sample_task(Stream& stream) const = 0;  // T_i ~ p(T); spec().task_size() numbers
  virtual void set_task(const Eigen::VectorXd& task) = 0;         // holds until the next set_task
  virtual void reset(Stream& stream, ObservationRef observation) = 0;  // writes x_1 ~ q_i(x_1)
  // Writes x_{t+1} ~ q_i(x_{t+1} | x_t, a_t).
  virtual StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) = 0;
  // Why the simulation of the episode broke down; empty if it did not.
  virtual std::string failure() const { return ""; }
  // A copy that shares working memory with this environment, so that many of them, stepped in turn, find it
  // in the processor's cache. Only one thread at a time may use any of them. Null if there is nothing to
  // share.
  virtual std::unique_ptr<Environment> companion() const { return nullptr; }
  // All tasks where they are so few that each is met again and again; else none.
  virtual std::vector<Eigen::VectorXd> finite_tasks() const { return {}; }
  // A task in words, for captions and tables: "forward"; if not overridden, "goal_x 0.31, goal_y -0.20".
  virtual std::string task_text(const Eigen::VectorXd& task) const;
};

// "0.31": what a caption says of a number.
std::string two_digits(double value);

// The chosen environment, as the configuration names it.
struct EnvironmentConfig {
  std::string name = "navigation_2d";
  int64_t horizon = 0;        // 0: the environment's own
  bool observe_task = false;  // append the task's parameters to the observation (the oracle of the papers)
  Texts own;                  // of the environment of this name
};

}  // namespace innerloop
