#include "sampling/time_baseline.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "sampling/linear_baseline.h"

namespace innerloop {

Eigen::VectorXd rewards_over_time(const Trajectories& trajectories, int64_t task,
                                  const AdvantageConfig& config) {
  require(task >= 0 && task < trajectories.tasks(), "rewards over time: task ", task,
          " asked of trajectories of ", trajectories.tasks(), " tasks");
  std::vector<Eigen::Map<const Eigen::MatrixXf>>
      nothing;  // observations without entries: features of time alone
  std::vector<Eigen::VectorXd> discounted;
  for (int64_t n = 0; n < trajectories.per_task(); ++n) {
    const auto rewards = trajectories.rewards(task, n);
    require(rewards.size() > 0 && rewards.allFinite(), "rewards over time: task ", task, ", trajectory ", n,
            " has no steps, or a reward that is not finite");
    Eigen::VectorXd values(rewards.size());
    double weight = 1;
    for (Eigen::Index t = 0; t < rewards.size(); ++t, weight *= config.discount)
      values[t] = weight * rewards[t];
    nothing.emplace_back(nullptr, 0, rewards.size());
    discounted.push_back(std::move(values));
  }
  LinearBaseline baseline;
  baseline.fit(nothing, discounted);

  Eigen::VectorXd out(trajectories.steps(task));
  Eigen::Index at = 0;
  for (size_t n = 0; n < discounted.size(); ++n) {
    out.segment(at, discounted[n].size()) = discounted[n] - baseline.predict(nothing[n]);
    at += discounted[n].size();
  }
  if (config.standardize) {
    out.array() -= out.mean();
    out /= std::sqrt(out.squaredNorm() / static_cast<double>(out.size())) + 1e-8;
  }
  return out;
}

}  // namespace innerloop
