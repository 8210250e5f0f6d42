#include "meta/policy/task_outcome.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "meta/executor.h"

namespace innerloop {

Params outcome_params(const TaskOutcome& outcome) {
  std::vector<double> numbers{static_cast<double>(outcome.steps), static_cast<double>(outcome.successes)};
  numbers.insert(numbers.end(), outcome.returns.begin(), outcome.returns.end());
  Params out = as_params(numbers);
  for (size_t i = 0; i < outcome.failures.size(); ++i) {
    const auto& failure = outcome.failures[i];
    const auto bytes = torch::empty({1, static_cast<int64_t>(failure.reason.size())}, torch::kUInt8);
    std::copy(failure.reason.begin(), failure.reason.end(), bytes.data_ptr<uint8_t>());
    const auto place = torch::tensor(
        {static_cast<int64_t>(failure.inner_step), failure.trajectory, failure.step}, torch::kInt64);
    out = out.joined(Params({{concat("place", i), place.view({1, 3})}, {concat("reason", i), bytes}}));
  }
  return out;
}

TaskOutcome outcome_of(const Params& params, uint64_t task) {
  const auto numbers = as_numbers(params);
  TaskOutcome out{.returns = {numbers.begin() + 2, numbers.end()},
                  .successes = static_cast<int64_t>(numbers[1]),
                  .steps = static_cast<int64_t>(numbers[0])};
  for (size_t i = 0; params.contains(concat("place", i)); ++i) {
    const auto* place = params.at(concat("place", i)).data_ptr<int64_t>();
    const auto& bytes = params.at(concat("reason", i));
    const auto* text = bytes.data_ptr<uint8_t>();
    out.failures.push_back({.task = task,
                            .inner_step = static_cast<uint32_t>(place[0]),
                            .trajectory = place[1],
                            .step = place[2],
                            .reason = std::string(text, text + bytes.numel())});
  }
  return out;
}

}  // namespace innerloop
