#include "sampling/advantages.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "sampling/linear_baseline.h"

namespace innerloop {
namespace {

// y_t = x_t + decay y_{t+1}, y = 0 after the end.
template <class Vector>
Eigen::VectorXd discounted_sums(const Vector& x, double decay) {
  Eigen::VectorXd y(x.size());
  double tail = 0;
  for (Eigen::Index t = x.size(); t-- > 0;) y[t] = tail = static_cast<double>(x[t]) + decay * tail;
  return y;
}

double variance(const Eigen::VectorXd& x) { return (x.array() - x.mean()).square().mean(); }

}  // namespace

Eigen::VectorXd discounted_returns(const Trajectories& trajectories, int64_t task, int64_t n, double discount,
                                   RewardKind kind) {
  const auto rewards = trajectories.rewards(task, n, kind);
  require(rewards.size() > 0, "advantages: task ", task, ", trajectory ", n, " has no steps");
  for (Eigen::Index t = 0; t < rewards.size(); ++t) {
    require(std::isfinite(rewards[t]), "advantages: task ", task, ", trajectory ", n, ", step ", t,
            ": reward is ", rewards[t], ", expected a finite number");
  }
  return discounted_sums(rewards, discount);
}

Eigen::VectorXd generalised_advantages(const Trajectories& trajectories, int64_t task, int64_t n,
                                       const Eigen::VectorXd& b, const AdvantageConfig& config,
                                       RewardKind kind) {
  const Eigen::Index length = b.size();
  Eigen::VectorXd delta = trajectories.rewards(task, n, kind).cast<double>() - b;
  delta.head(length - 1) += config.discount * b.tail(length - 1);
  return discounted_sums(delta, config.discount * config.gae_lambda);
}

TaskAdvantages advantages(const Trajectories& trajectories, int64_t task, const AdvantageConfig& config,
                          RewardKind kind) {
  require(task >= 0 && task < trajectories.tasks(), "advantages: task ", task, " asked of trajectories of ",
          trajectories.tasks(), " tasks");
  std::vector<Eigen::Map<const Eigen::MatrixXf>> observations;
  std::vector<Eigen::VectorXd> returns;
  for (int64_t n = 0; n < trajectories.per_task(); ++n) {
    observations.push_back(trajectories.observations(task, n));
    returns.push_back(discounted_returns(trajectories, task, n, config.discount, kind));
  }

  LinearBaseline baseline;
  try {
    baseline.fit(observations, returns);
  } catch (const Error& error) {
    throw Error(concat("advantages: task ", task, ": ", error.what()));
  }

  const Eigen::Index steps = trajectories.steps(task);
  Eigen::VectorXd all_returns(steps), residuals(steps);
  TaskAdvantages out;
  out.values.resize(steps);
  Eigen::Index at = 0;
  for (size_t n = 0; n < returns.size(); ++n) {
    const Eigen::Index length = returns[n].size();
    const Eigen::VectorXd b = baseline.predict(observations[n]);
    out.values.segment(at, length) =
        generalised_advantages(trajectories, task, static_cast<int64_t>(n), b, config, kind);
    all_returns.segment(at, length) = returns[n];
    residuals.segment(at, length) = returns[n] - b;
    at += length;
  }
  const double spread = variance(all_returns);
  out.baseline_explained_variance = spread > 0 ? 1 - variance(residuals) / spread : 0;
  if (config.standardize) {
    const double deviation = std::sqrt(variance(out.values));
    out.values = (out.values.array() - out.values.mean()) / (deviation + 1e-8);
  }
  return out;
}

}  // namespace innerloop
