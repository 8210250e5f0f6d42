#include "runners/drawing/replay.h"

#include "base/error.h"

namespace innerloop {

std::vector<Eigen::VectorXf> replay(Environment& environment, const Eigen::VectorXd& task,
                                    const Trajectories& trajectories, int64_t t, int64_t n,
                                    const StreamKey& key, const std::function<void()>& visit) {
  const auto observations = trajectories.observations(t, n);
  const auto actions = trajectories.actions(t, n);
  Stream stream(key);
  Eigen::VectorXf observation(environment.spec().observation_size);
  environment.set_task(task);
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

StreamKey evaluation_key(uint64_t seed, int64_t t, int64_t n, int64_t k) {
  return {.seed = seed,
          .purpose = Purpose::kEvaluationEnvironment,
          .iteration = 0,
          .task = static_cast<uint64_t>(t),
          .trajectory = static_cast<uint64_t>(n),
          .step = static_cast<uint32_t>(k)};
}

}  // namespace innerloop
