#include "meta/policy/policy_learner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/policy/policy_meta_learner.h"

namespace innerloop {

double TaskOutcome::mean_return() const {
  double sum = 0;
  for (const double value : returns) sum += value;
  return sum / static_cast<double>(returns.size());
}

double TaskOutcome::success_rate() const {
  return static_cast<double>(successes) / static_cast<double>(returns.size());
}

ReturnStatistics return_statistics(const std::vector<TaskOutcome>& tasks) {
  ReturnStatistics out;
  double sum = 0, squares = 0, successes = 0, count = 0;
  out.min = std::numeric_limits<double>::infinity();
  out.max = -out.min;
  for (const auto& task : tasks) {
    successes += static_cast<double>(task.successes);
    count += static_cast<double>(task.returns.size());
    for (const double value : task.returns) {
      sum += value;
      squares += value * value;
      out.min = std::min(out.min, value);
      out.max = std::max(out.max, value);
    }
    out.per_task.push_back(task.mean_return());
  }
  out.mean = sum / count;
  out.std = std::sqrt(std::max(0.0, squares / count - out.mean * out.mean));
  out.success_rate = successes / count;
  return out;
}

std::unique_ptr<PolicyLearner> make_policy_learner(const PolicyMetaConfig& config, const Algorithm& algorithm,
                                                   ThreadPool& pool) {
  if (algorithm.policy_learner) return algorithm.policy_learner(config.algorithm.own, config, pool);
  return std::make_unique<PolicyMetaLearner>(config, algorithm, pool);
}

}  // namespace innerloop
