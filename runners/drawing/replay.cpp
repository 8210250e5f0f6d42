#include "runners/drawing/replay.h"

#include "base/error.h"

namespace innerloop {

namespace {

// From the next reset on, in the task that is set.
std::vector<Eigen::VectorXf> replay_episode(Environment& environment, const Trajectories& trajectories,
                                            int64_t t, int64_t n, Stream& stream,
                                            const std::function<void()>& visit) {
  const auto observations = trajectories.observations(t, n);
  const auto actions = trajectories.actions(t, n);
  Eigen::VectorXf observation(environment.spec().observation_size);
  environment.reset(stream, observation);
  std::vector<Eigen::VectorXf> out;
  for (Eigen::Index s = 0; s < observations.cols(); ++s) {
    require(observation == observations.col(s), environment.spec().name, ": the replay of trajectory ", n,
            " of task ", t, " sees (", observation.transpose(), ") at step ", s, ", recorded was (",
            observations.col(s).transpose(), "); was it recorded with another seed or environment?");
    out.push_back(observation);
    if (visit) visit();
    environment.step(actions.col(s), stream, observation);
  }
  out.push_back(observation);
  if (visit) visit();
  return out;
}

}  // namespace

std::vector<Eigen::VectorXf> replay(Environment& environment, const Eigen::VectorXd& task,
                                    const Trajectories& trajectories, int64_t t, int64_t n,
                                    const StreamKey& key, const std::function<void()>& visit) {
  Stream stream(key);
  environment.set_task(task);
  return replay_episode(environment, trajectories, t, n, stream, visit);
}

std::vector<Eigen::VectorXf> replay(Environment& environment, const PolicyEvaluation& evaluation, int64_t t,
                                    int64_t n, int64_t k, uint64_t seed, const std::function<void()>& visit) {
  const auto kept = static_cast<int64_t>(evaluation.trajectories.size());
  require(k >= 0 && k < kept, "replay: step ", k, " asked of an evaluation that kept ", kept);
  const auto& task = evaluation.tasks.at(static_cast<size_t>(t)).task;
  const auto at = [&](int64_t step) -> const Trajectories& {
    return evaluation.trajectories[static_cast<size_t>(step)];
  };
  if (!evaluation.of_trials)
    return replay(environment, task, at(k), t, n, evaluation_key(seed, t, n, k), visit);
  Stream stream(evaluation_key(seed, t, n, 0));
  environment.set_task(task);
  for (int64_t before = 0; before < k; ++before) replay_episode(environment, at(before), t, n, stream, {});
  return replay_episode(environment, at(k), t, n, stream, visit);
}

StreamKey evaluation_key(uint64_t seed, int64_t t, int64_t n, int64_t k) {
  return {.seed = seed,
          .purpose = Purpose::kEvaluationEnvironment,
          .iteration = 0,
          .task = static_cast<uint64_t>(t),
          .trajectory = static_cast<uint64_t>(n),
          .step = static_cast<uint32_t>(k)};
}

}  // namespace innerloop
