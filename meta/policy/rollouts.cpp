#include "meta/policy/rollouts.h"

#include <cstring>

#include "base/error.h"
#include "base/stopwatch.h"

namespace innerloop {
namespace {

// The steps of task t as tensors with T = 1, trajectory after trajectory.
RecordedSteps pack(const Trajectories& trajectories, int64_t t, const Eigen::VectorXd& advantages) {
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
  return data;
}

// What the policy of a chunk reads now.
Params policy_parameters(const GradientMethod& method, const RecordedChunk& chunk) {
  const auto& adaptation = chunk.adaptation;
  return method.read(adaptation.adapted(), Part::kQuery, adaptation.steps(), chunk.now);
}

}  // namespace

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
  std::vector<std::unique_ptr<ActionSampler>> owned;
  std::vector<const ActionSampler*> samplers;
  for (const auto& chunk : chunks) {
    owned.push_back(policy_.sampler(policy_parameters(method_, chunk), 0));
    samplers.push_back(owned.back().get());
  }
  try {
    return sampler_.sample(tasks, samplers, per_task, key);
  } catch (const Error& error) {
    throw Error(concat("inner step ", key.step, ": ", error.what()));
  }
}

void Rollouts::record(const Trajectories& trajectories, std::vector<RecordedChunk>& chunks) {
  const AddsSeconds timed(seconds_.advantages);
  const auto explained = executor_.gather(static_cast<int64_t>(chunks.size()), [&](int64_t t) {
    auto& chunk = chunks[static_cast<size_t>(t)];
    const auto computed = advantages(trajectories, t, advantage_);
    const bool first = !chunk.task;
    if (first) chunk.task = std::make_unique<PolicyGradientTask>(policy_, estimator_);
    chunk.task->record(pack(trajectories, t, computed.values), policy_parameters(method_, chunk));
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
