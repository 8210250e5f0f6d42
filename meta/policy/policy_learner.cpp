#include "meta/policy/policy_learner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/policy/policy_meta_learner.h"

namespace innerloop {

ReturnStatistics return_statistics(const Trajectories& trajectories) {
  ReturnStatistics out;
  double sum = 0, squares = 0, successes = 0;
  out.min = std::numeric_limits<double>::infinity();
  out.max = -out.min;
  for (int64_t t = 0; t < trajectories.tasks(); ++t) {
    for (int64_t n = 0; n < trajectories.per_task(); ++n) {
      const double value = trajectories.undiscounted_return(t, n);
      sum += value;
      squares += value * value;
      successes += trajectories.success(t, n) ? 1 : 0;
      out.min = std::min(out.min, value);
      out.max = std::max(out.max, value);
    }
  }
  const auto count = static_cast<double>(trajectories.tasks() * trajectories.per_task());
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
