// The episodes that recorded trials (envs/trial.h) consist of.
#pragma once

#include <cstdint>
#include <vector>

#include "envs/environment.h"
#include "sampling/trajectories.h"

namespace innerloop {

// The first step of each episode of trajectory n of task t, then its length.
std::vector<int64_t> episode_bounds(const Trajectories& trials, int64_t t, int64_t n);

// The k-th episodes of all trials as trajectories of `environment`, the one within the trial, k = 0, ...,
// `episodes` - 1; failures have k for their inner step. The batch is whole (SampleKey::first_task is 0).
// Error if a trial has another number of episodes.
std::vector<Trajectories> split_episodes(const Trajectories& trials, const EnvironmentSpec& environment,
                                         int64_t episodes);

}  // namespace innerloop
