#include "envs/mujoco_scene.h"

#include "envs/observe_task.h"

namespace innerloop {

const MujocoScene* mujoco_scene(const Environment& environment) {
  if (const auto* decorator = dynamic_cast<const ObserveTask*>(&environment))
    return mujoco_scene(decorator->inner());
  return dynamic_cast<const MujocoScene*>(&environment);
}

}  // namespace innerloop
