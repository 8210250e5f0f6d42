#include "sampling/trial_episodes.h"

#include "base/error.h"
#include "envs/trial.h"

namespace innerloop {

std::vector<int64_t> episode_bounds(const Trajectories& trials, int64_t t, int64_t n) {
  const auto observations = trials.observations(t, n);
  std::vector<int64_t> bounds{0};
  for (Eigen::Index s = 1; s < observations.cols(); ++s) {
    if (begins_episode(observations.col(s))) bounds.push_back(s);
  }
  bounds.push_back(observations.cols());
  return bounds;
}

std::vector<Trajectories> split_episodes(const Trajectories& trials, const EnvironmentSpec& environment,
                                         int64_t episodes) {
  const auto size = environment.observation_size;
  std::vector<Trajectories> out;
  std::vector<std::vector<EpisodeFailure>> failures(static_cast<size_t>(episodes));
  for (int64_t k = 0; k < episodes; ++k) {
    out.emplace_back(trials.tasks(), trials.per_task(), environment.horizon, size, trials.action_entries());
  }
  for (int64_t t = 0; t < trials.tasks(); ++t) {
    for (int64_t n = 0; n < trials.per_task(); ++n) {
      const auto bounds = episode_bounds(trials, t, n);
      require(static_cast<int64_t>(bounds.size()) == episodes + 1, "trial ", n, " of task ", t, " has ",
              bounds.size() - 1, " episodes, expected ", episodes);
      for (size_t k = 0; k + 1 < bounds.size(); ++k) {
        const int64_t first = bounds[k], length = bounds[k + 1] - first;
        auto& episode = out[k];
        episode.observation_buffer(t, n).leftCols(length) =
            trials.observations(t, n).block(0, first, size, length);
        episode.action_buffer(t, n).leftCols(length) = trials.actions(t, n).middleCols(first, length);
        episode.reward_buffer(t, n).head(length) = trials.rewards(t, n).segment(first, length);
        const auto successes = trials.successes(t, n).segment(first, length);
        episode.success_buffer(t, n).head(length) = successes;
        episode.finish(t, n, length, successes.maxCoeff() != 0);
      }
    }
  }
  for (auto failure : trials.failures()) {
    const auto bounds = episode_bounds(trials, static_cast<int64_t>(failure.task), failure.trajectory);
    size_t k = 0;
    while (bounds[k + 1] <= failure.step) ++k;
    failure.inner_step = static_cast<uint32_t>(k);
    failure.step -= bounds[k];
    failures[k].push_back(failure);
  }
  for (size_t k = 0; k < out.size(); ++k) out[k].set_failures(std::move(failures[k]));
  return out;
}

}  // namespace innerloop
