#include "meta/policy/rollouts.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/stopwatch.h"
#include "meta/policy/task_outcome.h"
#include "sampling/time_baseline.h"

namespace innerloop {
namespace {

// The steps of task t as tensors with T = 1, trajectory after trajectory.
RecordedSteps pack(const Trajectories& trajectories, int64_t t, const Eigen::VectorXd& advantages,
                   const Eigen::VectorXd& rewards) {
  const int64_t steps = trajectories.steps(t);
  RecordedSteps data;
  data.observations = torch::empty({1, steps, trajectories.observation_size()});
  data.actions = torch::empty({1, steps, trajectories.action_entries()});
  data.advantages = torch::empty({1, steps});
  data.steps = torch::full({1}, static_cast<double>(steps), torch::kFloat32);
  auto* observations = data.observations.data_ptr<float>();
  auto* actions = data.actions.data_ptr<float>();
  const auto append = [](float*& to, const Trajectories::ConstMatrix& from) {
    std::memcpy(to, from.data(), static_cast<size_t>(from.size()) * sizeof(float));
    to += from.size();
  };
  for (int64_t n = 0; n < trajectories.per_task(); ++n) {
    append(observations, trajectories.observations(t, n));
    append(actions, trajectories.actions(t, n));
    data.lengths.push_back(trajectories.length(t, n));
  }
  Eigen::Map<Eigen::VectorXf>(data.advantages.data_ptr<float>(), steps) = advantages.cast<float>();
  if (rewards.size() > 0) {
    data.rewards = torch::empty({1, steps});
    Eigen::Map<Eigen::VectorXf>(data.rewards.data_ptr<float>(), steps) = rewards.cast<float>();
  }
  return data;
}

// The mean over a task's steps of its rewards, in deviations from the mean over all tasks' steps.
struct RewardScale {
  double mean = 0, deviation = 0;

  torch::Tensor adjusted(const Trajectories& trajectories, int64_t t, RewardKind kind) const {
    double sum = 0;
    for (int64_t n = 0; n < trajectories.per_task(); ++n) sum += trajectories.undiscounted_return(t, n, kind);
    const double own = sum / static_cast<double>(trajectories.steps(t));
    return torch::full({1}, (own - mean) / (deviation + 1e-8), torch::kFloat32);
  }
};

}  // namespace

Params policy_parameters(const GradientMethod& method, const RecordedChunk& chunk) {
  const auto& adaptation = chunk.adaptation;
  return method.read(adaptation.adapted(), Part::kQuery, adaptation.steps(), chunk.now);
}

std::vector<RecordedChunk> start_chunks(const GradientMethod& method, const Params& meta, int64_t tasks,
                                        const Moment& now, Keep keep) {
  std::vector<RecordedChunk> chunks(static_cast<size_t>(tasks));
  for (int64_t t = 0; t < tasks; ++t) {
    auto& chunk = chunks[static_cast<size_t>(t)];
    chunk.now = now;
    chunk.now.first_task = t;
    chunk.adaptation = method.inner().start(meta, 1, chunk.now, keep);
  }
  return chunks;
}

Trajectories Rollouts::sample(const std::vector<Eigen::VectorXd>& tasks,
                              const std::vector<RecordedChunk>& chunks, int64_t per_task,
                              const SampleKey& key) {
  const AddsSeconds timed(seconds_.sampling);
  const Share mine = executor_.share(static_cast<int64_t>(tasks.size()));
  Trajectories out;
  try {
    executor_.together([&] {
      if (mine.size() == 0) return;
      std::vector<std::unique_ptr<ActionSampler>> owned;
      std::vector<const ActionSampler*> samplers;
      for (int64_t t = mine.first; t < mine.last; ++t) {
        owned.push_back(policy_.sampler(policy_parameters(method_, chunks[static_cast<size_t>(t)]), 0));
        samplers.push_back(owned.back().get());
      }
      SampleKey here = key;
      here.first_task += static_cast<uint64_t>(mine.first);
      out =
          sampler_.sample({tasks.begin() + mine.first, tasks.begin() + mine.last}, samplers, per_task, here);
    });
  } catch (const Error& error) {
    throw Error(concat("inner step ", key.step, ": ", error.what()));
  }
  return out;
}

std::vector<TaskOutcome> Rollouts::outcomes(const Trajectories& trajectories, int64_t tasks) const {
  const Share mine = executor_.share(tasks);
  const auto all = executor_.gather(tasks, [&](int64_t t) {
    TaskOutcome found{.steps = trajectories.steps(t - mine.first)};
    for (int64_t n = 0; n < trajectories.per_task(); ++n) {
      found.returns.push_back(trajectories.undiscounted_return(t - mine.first, n));
      found.successes += trajectories.success(t - mine.first, n) ? 1 : 0;
    }
    for (const auto& failure : trajectories.failures()) {
      if (failure.task == static_cast<uint64_t>(t)) found.failures.push_back(failure);
    }
    return outcome_params(found);
  });
  std::vector<TaskOutcome> out;
  for (const auto& one : all) out.push_back(outcome_of(one, static_cast<uint64_t>(out.size())));
  return out;
}

void Rollouts::record(const Trajectories& trajectories, std::vector<RecordedChunk>& chunks, RewardKind kind) {
  const AddsSeconds timed(seconds_.advantages);
  const auto tasks = static_cast<int64_t>(chunks.size());
  const Share mine = executor_.share(tasks);
  const auto moments = as_numbers(executor_.sum(tasks, [&](int64_t t) {  // of the rewards: 0th to 2nd
    double sum = 0, squares = 0;
    for (int64_t n = 0; n < trajectories.per_task(); ++n) {
      const Eigen::VectorXd rewards = trajectories.rewards(t - mine.first, n, kind).cast<double>();
      sum += rewards.sum();
      squares += rewards.squaredNorm();
    }
    return as_params({static_cast<double>(trajectories.steps(t - mine.first)), sum, squares});
  }));
  const double mean = moments[1] / moments[0];
  const RewardScale scale{mean, std::sqrt(std::max(0.0, moments[2] / moments[0] - mean * mean))};
  const auto explained = executor_.gather(tasks, [&](int64_t t) {
    auto& chunk = chunks[static_cast<size_t>(t)];
    const int64_t here = t - mine.first;
    const auto computed = advantages(trajectories, here, advantage_, kind);
    const Eigen::VectorXd rewards = estimator_ == InnerEstimator::kDice
                                        ? rewards_over_time(trajectories, here, advantage_)
                                        : Eigen::VectorXd();
    const bool first = !chunk.task;
    if (first) chunk.task = std::make_unique<PolicyGradientTask>(policy_, estimator_);
    RecordedSteps data = pack(trajectories, here, computed.values, rewards);
    data.adjusted_reward = scale.adjusted(trajectories, here, kind);
    chunk.task->record(std::move(data), policy_parameters(method_, chunk));
    if (first) chunk.view = method_.view(*chunk.task, chunk.now);
    return as_params({computed.baseline_explained_variance});
  });
  double sum = 0;
  for (const auto& value : explained) sum += as_numbers(value).front();
  explained_variance_.push_back(sum / static_cast<double>(explained.size()));
}

void Rollouts::advance(std::vector<RecordedChunk>& chunks, double step_scale) {
  const AddsSeconds timed(seconds_.inner_steps);
  executor_.each(static_cast<int64_t>(chunks.size()), [&](int64_t t) {
    auto& chunk = chunks[static_cast<size_t>(t)];
    method_.inner().advance(chunk.adaptation, *chunk.view, step_scale);
  });
}

}  // namespace innerloop
