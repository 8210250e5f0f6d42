// What a film of a MuJoCo environment needs. An environment that can be filmed so also derives from
// MujocoScene.
#pragma once

#include <Eigen/Core>

#include "envs/environment.h"
#include "envs/mujoco_model.h"

namespace innerloop {

// What the task asks for, as something that can be put into the scene. On the floor: x, y.
struct TaskMark {
  enum class Kind {
    kNone,       // nothing to show
    kVelocity,   // m/s: a post that runs at this velocity from where the animal starts
    kDirection,  // of length 1: an arrow that goes with the animal
    kGoal,       // metres: a post that stands there
  };
  Kind kind = Kind::kNone;
  Eigen::Vector2d value = Eigen::Vector2d::Zero();
};

class MujocoScene {
 public:
  virtual ~MujocoScene() = default;
  // Its positions are those after the last reset or step; derived quantities may lag behind.
  virtual const MujocoSimulation& simulation() const = 0;
  virtual TaskMark task_mark() const = 0;  // of the task set last
};

// The environment as MujocoScene, also inside an ObserveTask; null where it cannot be drawn so.
const MujocoScene* mujoco_scene(const Environment& environment);

}  // namespace innerloop
