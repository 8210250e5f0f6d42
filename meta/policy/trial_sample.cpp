#include "meta/policy/trial_sample.h"

#include <cmath>
#include <string>

#include "base/error.h"
#include "meta/policy/task_outcome.h"
#include "sampling/linear_baseline.h"
#include "sampling/trial_episodes.h"

namespace innerloop {
namespace {

std::string place_of(int64_t episode, int64_t task) { return concat("episode", episode, ".task", task, "."); }

// visit(t, n, place) for the trials of a chunk, t and `place` counted in what is here.
template <class Visit>
void for_trials(const TrialSample& sample, int64_t chunk, const Visit& visit) {
  const Share tasks = sample.tasks_of(chunk);
  for (int64_t t = tasks.first - sample.first_task; t < tasks.last - sample.first_task; ++t) {
    for (int64_t n = 0; n < sample.per_task; ++n) visit(t, n, static_cast<size_t>(t * sample.per_task + n));
  }
}

Params params_of(const LinearBaseline::Sums& sums) {
  const auto size = sums.gram.rows();
  const auto gram = torch::empty({1, size, size}, torch::kFloat64),
             moment = torch::empty({1, size}, torch::kFloat64);
  Eigen::Map<Eigen::MatrixXd>(gram.data_ptr<double>(), size, size) = sums.gram;
  Eigen::Map<Eigen::VectorXd>(moment.data_ptr<double>(), size) = sums.moment;
  return Params({{"gram", gram}, {"moment", moment}});
}

LinearBaseline::Sums sums_of(const Params& params) {
  const auto size = params.at("moment").numel();
  return {Eigen::Map<const Eigen::MatrixXd>(params.at("gram").data_ptr<double>(), size, size),
          Eigen::Map<const Eigen::VectorXd>(params.at("moment").data_ptr<double>(), size)};
}

}  // namespace

TaskOutcome episode_outcome(const Trajectories& trials, int64_t t, uint64_t task, int64_t k) {
  TaskOutcome out;
  for (int64_t n = 0; n < trials.per_task(); ++n) {
    const auto bounds = episode_bounds(trials, t, n);
    const int64_t first = bounds[static_cast<size_t>(k)], length = bounds[static_cast<size_t>(k) + 1] - first;
    out.returns.push_back(trials.rewards(t, n).segment(first, length).cast<double>().sum());
    out.successes += trials.successes(t, n).segment(first, length).maxCoeff() != 0 ? 1 : 0;
    out.steps += length;
  }
  for (auto failure : trials.failures()) {
    if (failure.task != task) continue;
    const auto bounds = episode_bounds(trials, t, failure.trajectory);
    const int64_t first = bounds[static_cast<size_t>(k)], last = bounds[static_cast<size_t>(k) + 1];
    if (failure.step < first || failure.step >= last) continue;
    failure.inner_step = static_cast<uint32_t>(k);
    failure.step -= first;
    out.failures.push_back(failure);
  }
  return out;
}

std::vector<std::vector<TaskOutcome>> episode_outcomes(const Executor& executor, const TrialSample& sample) {
  const auto found = executor.gather(sample.chunks(), [&](int64_t c) {
    Params all;
    const Share tasks = sample.tasks_of(c);
    for (int64_t task = tasks.first; task < tasks.last; ++task) {
      for (int64_t k = 0; k < sample.episodes; ++k) {
        const auto outcome =
            episode_outcome(sample.trajectories, task - sample.first_task, static_cast<uint64_t>(task), k);
        all = all.joined(outcome_params(outcome).prefixed(place_of(k, task)));
      }
    }
    return all;
  });
  std::vector<std::vector<TaskOutcome>> out(static_cast<size_t>(sample.episodes));
  for (int64_t k = 0; k < sample.episodes; ++k) {
    for (int64_t task = 0; task < sample.tasks; ++task) {
      const auto& chunk = found[static_cast<size_t>(task / sample.tasks_per_chunk)];
      out[static_cast<size_t>(k)].push_back(
          outcome_of(chunk.part(place_of(k, task)), static_cast<uint64_t>(task)));
    }
  }
  return out;
}

std::vector<double> find_advantages(const Executor& executor, TrialSample& sample,
                                    const AdvantageConfig& config) {
  constexpr RewardKind kReward = RewardKind::kTraining;
  const auto& trials = sample.trajectories;
  sample.values.assign(static_cast<size_t>(trials.tasks() * sample.per_task), {});
  std::vector<Eigen::VectorXd> returns(sample.values.size());
  const Params sums = executor.sum(sample.chunks(), [&](int64_t c) {
    std::vector<Eigen::Map<const Eigen::MatrixXf>> observations;
    std::vector<Eigen::VectorXd> of_chunk;
    for_trials(sample, c, [&](int64_t t, int64_t n, size_t place) {
      returns[place] = discounted_returns(trials, t, n, config.discount, kReward);
      observations.push_back(trials.observations(t, n));
      of_chunk.push_back(returns[place]);
    });
    return params_of(LinearBaseline::sums(observations, of_chunk));
  });
  LinearBaseline baseline;
  baseline.solve(sums_of(sums), sample.tasks * sample.per_task);

  // Of each episode k: steps, sums of R, R^2, R - b and (R - b)^2; then steps and the sum of A.
  const auto episodes = static_cast<size_t>(sample.episodes);
  const auto moments = as_numbers(executor.sum(sample.chunks(), [&](int64_t c) {
    std::vector<double> numbers(5 * episodes + 2, 0.0);
    for_trials(sample, c, [&](int64_t t, int64_t n, size_t place) {
      const Eigen::VectorXd b = baseline.predict(trials.observations(t, n));
      const Eigen::VectorXd residual = returns[place] - b;
      auto& values = sample.values[place];
      values = generalised_advantages(trials, t, n, b, config, kReward);
      const auto bounds = episode_bounds(trials, t, n);
      for (size_t k = 0; k < episodes; ++k) {
        const int64_t first = bounds[k], length = bounds[k + 1] - first;
        const auto r = returns[place].segment(first, length);
        const auto left = residual.segment(first, length);
        const double found[] = {static_cast<double>(length), r.sum(), r.squaredNorm(), left.sum(),
                                left.squaredNorm()};
        for (size_t i = 0; i < 5; ++i) numbers[5 * k + i] += found[i];
      }
      numbers[5 * episodes] += static_cast<double>(values.size());
      numbers[5 * episodes + 1] += values.sum();
    });
    return as_params(numbers);
  }));
  std::vector<double> explained;
  for (size_t k = 0; k < episodes; ++k) {
    const double* m = &moments[5 * k];
    const double spread = m[2] / m[0] - std::pow(m[1] / m[0], 2),
                 left = m[4] / m[0] - std::pow(m[3] / m[0], 2);
    explained.push_back(spread > 0 ? 1 - left / spread : 0);
  }
  if (!config.standardize) return explained;
  const double steps = moments[5 * episodes], mean = moments[5 * episodes + 1] / steps;
  const auto squares = as_numbers(executor.sum(sample.chunks(), [&](int64_t c) {
    double sum = 0;
    for_trials(sample, c, [&](int64_t, int64_t, size_t place) {
      sample.values[place].array() -= mean;
      sum += sample.values[place].squaredNorm();
    });
    return as_params({sum});
  }));
  const double deviation = std::sqrt(squares.front() / steps) + 1e-8;
  for (auto& values : sample.values) values /= deviation;
  return explained;
}

}  // namespace innerloop
