// The sampling-time form of a policy with one task's weights: Eigen only, read by sampler threads, which
// never call torch.
#pragma once

#include <Eigen/Core>
#include <memory>

#include "base/random.h"

namespace innerloop {

class ActionSampler {
 public:
  virtual ~ActionSampler() = default;

  virtual Eigen::Index observation_size() const = 0;
  virtual Eigen::Index action_entries() const = 0;

  // What a thread keeps between calls so that acting allocates nothing; made once per thread and sampler.
  struct Workspace {
    virtual ~Workspace() = default;
    // Column b: what the policy remembers of trajectory b, moved on by act(). No rows where it remembers
    // nothing.
    Eigen::MatrixXf memory;
  };
  virtual std::unique_ptr<Workspace> workspace(Eigen::Index max_columns) const = 0;

  // Before the first step of trajectories: all columns of the memory are as at a trajectory's start. Whoever
  // moves a trajectory to another column later moves its column of the memory too.
  virtual void begin(Workspace& /*workspace*/) const {}

  // Draws a_t ~ pi(. | o_t) for each of B trajectories. observations [observation_size, B]; column b draws
  // from *streams[b] and writes actions column b [action_entries, B]. B <= max_columns of the workspace. The
  // result of a column depends on its observation, its memory and its stream only.
  virtual void act(const Eigen::Ref<const Eigen::MatrixXf>& observations, Stream* const* streams,
                   Workspace& workspace, Eigen::Ref<Eigen::MatrixXf> actions) const = 0;
};

}  // namespace innerloop
