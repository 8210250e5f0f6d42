// A second reward of an environment, for meta-training where the task's own says little (sparse goals): the
// outer loss of training reads it in the place of StepResult::reward. The task's own is what a policy adapts
// to, in training as on held-out tasks, and what is reported (Rakelly et al. 2019, PEARL, section 6.3: dense
// rewards in meta-training, sparse ones in the adaptation data and on held-out tasks). An environment that
// has one also derives from TrainingReward.
#pragma once

#include "envs/environment.h"

namespace innerloop {

class TrainingReward {
 public:
  virtual ~TrainingReward() = default;
  virtual double training_reward() const = 0;  // of the last step
};

// The environment as TrainingReward, also inside an ObserveTask or a Trial; null where the task's own reward
// serves both.
const TrainingReward* training_reward(const Environment& environment);

}  // namespace innerloop
