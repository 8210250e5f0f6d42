#include "envs/training_reward.h"

#include "envs/observe_task.h"
#include "envs/trial.h"

namespace innerloop {

const TrainingReward* training_reward(const Environment& environment) {
  if (const auto* decorator = dynamic_cast<const ObserveTask*>(&environment))
    return training_reward(decorator->inner());
  if (const auto* trial = dynamic_cast<const Trial*>(&environment))
    return training_reward(trial->inner()) != nullptr ? trial : nullptr;
  return dynamic_cast<const TrainingReward*>(&environment);
}

}  // namespace innerloop
