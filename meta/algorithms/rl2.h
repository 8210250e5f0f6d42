// RL^2 (Duan et al. 2016, "RL^2: Fast reinforcement learning via slow reinforcement learning", section 2;
// Wang et al. 2016, "Learning to reinforcement learn"): a recurrent policy that is given what it did and what
// came of it, and keeps its state over the episodes of a trial. The adaptation is what it remembers; there
// are no gradient steps on a task. As in garage's and ProMP's code, with PPO for the papers' TRPO and A3C.
//
//   input      [o_t, a_{t-1}, r_{t-1}, d_{t-1}], zeros before the first step of a trial   (envs/trial.h)
//   policy     gaussian_gru, gaussian_lstm, categorical_gru or categorical_lstm
//   objective  -mean min(r A, clip(r, 1 - epsilon, 1 + epsilon) A) - c mean H(pi)         (Schulman et al.
//   2017)
//              over all steps of the trials, through time; meta.epochs passes of Adam, meta.step_size
//   A          over whole trials, across the ends of episodes, one baseline for all tasks
//              (meta/policy/trial_learner.h); advantage.standardize: over all steps of a meta-iteration
//
//   rl2.episodes        episodes of a trial in training, sampler.trajectories trials of each task
//   rl2.clip_ratio      epsilon
//   rl2.minibatches     of whole trials, an epoch
//   rl2.entropy_weight  c
//   rl2.gradient_norm   a longer gradient is scaled down to it
//
// In an evaluation step k is the episode before which k were seen; evaluation.steps + 1 episodes are played,
// whatever rl2.episodes is.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm rl2();

}  // namespace innerloop
