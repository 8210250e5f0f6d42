#include "envs/training_reward.h"

#include "envs/observe_task.h"

namespace innerloop {

const TrainingReward* training_reward(const Environment& environment) {
  if (const auto* decorator = dynamic_cast<const ObserveTask*>(&environment))
    return training_reward(decorator->inner());
  return dynamic_cast<const TrainingReward*>(&environment);
}

}  // namespace innerloop
