// Episodes for the tests of environments.
#pragma once

#include <functional>
#include <vector>

#include "envs/environment.h"
#include "envs/training_reward.h"

namespace innerloop {

using Actor = std::function<Eigen::VectorXf(const Eigen::VectorXf& observation, Stream& stream)>;

struct Episode {
  std::vector<Eigen::VectorXf> observations;  // one more than steps
  std::vector<double> rewards;
  std::vector<double> training_rewards;  // none where the environment has no other
  std::vector<bool> successes;
  bool terminated = false;

  bool operator==(const Episode&) const = default;
  double total() const {
    double sum = 0;
    for (const double reward : rewards) sum += reward;
    return sum;
  }
};

inline Stream test_stream(uint64_t seed, uint64_t trajectory = 0, Purpose purpose = Purpose::kTest) {
  return Stream({.seed = seed, .purpose = purpose, .trajectory = trajectory});
}

// N(0, 1) in every entry, or a uniform choice.
inline Actor random_actor(const EnvironmentSpec& spec) {
  return [spec](const Eigen::VectorXf&, Stream& stream) {
    Eigen::VectorXf action(spec.action_entries());
    for (float& entry : action) {
      entry = spec.action_kind == ActionKind::kDiscrete
                  ? static_cast<float>(stream.below(static_cast<uint64_t>(spec.action_size)))
                  : static_cast<float>(stream.normal());
    }
    return action;
  };
}

// One episode of the task set before, cut at the horizon.
inline Episode play(Environment& environment, const Actor& actor, Stream environment_stream,
                    Stream action_stream) {
  Episode episode;
  Eigen::VectorXf observation(environment.spec().observation_size);
  environment.reset(environment_stream, observation);
  episode.observations.push_back(observation);
  for (int64_t t = 0; t < environment.spec().horizon && !episode.terminated; ++t) {
    const auto result = environment.step(actor(observation, action_stream), environment_stream, observation);
    episode.observations.push_back(observation);
    episode.rewards.push_back(result.reward);
    if (const auto* training = training_reward(environment))
      episode.training_rewards.push_back(training->training_reward());
    episode.successes.push_back(result.success);
    episode.terminated = result.terminated;
  }
  return episode;
}

// A task and an episode of random actions, all drawn from `seed`.
inline Episode play_random(Environment& environment, uint64_t task_seed, uint64_t episode_seed) {
  Stream tasks = test_stream(task_seed, 0, Purpose::kTask);
  environment.set_task(environment.sample_task(tasks));
  return play(environment, random_actor(environment.spec()),
              test_stream(episode_seed, 0, Purpose::kEnvironment),
              test_stream(episode_seed, 0, Purpose::kAction));
}

}  // namespace innerloop
