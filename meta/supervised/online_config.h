// Online meta-learning as configurations choose it: how tasks and their data arrive, what counts as learned,
// and which learners are compared. No torch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/settings.h"

namespace innerloop {

// How a learner goes about the tasks (Finn, Rajeswaran, Kakade and Levine 2019, section 5.1).
struct OnlineRule {
  std::string name;
  std::string description;  // one line
  enum class Tasks { kSoFar, kBefore, kCurrent };
  Tasks tasks;  // whose data it trains on; those of rounds before are, in the first round, the current one's
  bool meta;    // an update goes through the inner loop; otherwise it descends the loss itself
  bool adapts;  // by gradient steps on the round's data before it is judged
  bool fresh;   // starts every round from new initial parameters
};

const std::vector<OnlineRule>& online_rules();  // ftml, toe, scratch, joint

struct OnlineConfig {
  int64_t rounds = 0;    // tasks that arrive, one a round; 0: no online learning
  int64_t batches = 10;  // of data in a round
  int64_t batch = 10;    // samples in a batch; of each class
  int64_t steps = 50;    // updates of each learner after a batch has come
  double level = 0.9;    // accuracy, or mean squared error, that counts as learned
  int64_t buffer = 0;    // the last so many tasks are kept; 0: all
  std::vector<std::string> learners{"ftml", "toe", "scratch", "joint"};
};

std::vector<Key> online_keys();  // of OnlineConfig, without section

}  // namespace innerloop
