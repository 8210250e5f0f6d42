// Steps of one trajectory, made by hand: what a policy's loss makes of them can be worked out.
#pragma once

#include <vector>

#include "meta/policy/policy_gradient_task.h"

namespace innerloop::testing {

// Of observation 0 and of these actions and advantages, [1, count, 1] and [1, count], float64.
inline RecordedSteps recorded(const std::vector<double>& actions, const std::vector<double>& advantages) {
  const auto count = static_cast<int64_t>(actions.size());
  RecordedSteps data;
  data.observations = torch::zeros({1, count, 1}, torch::kFloat64);
  data.actions = torch::tensor(actions, torch::kFloat64).view({1, count, 1});
  data.advantages = torch::tensor(advantages, torch::kFloat64).view({1, count});
  data.steps = torch::full({1}, static_cast<double>(count), torch::kFloat64);
  data.lengths = {count};
  return data;
}

}  // namespace innerloop::testing
