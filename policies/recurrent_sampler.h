// The sampling form of recurrent policies: Eigen alone. The state of a trajectory is its column of the
// workspace's memory, h (and c behind it), each filled up with zeros to whole vectors.
#pragma once

#include <memory>

#include "policies/action_sampler.h"
#include "policies/mlp_forward.h"
#include "policies/recurrent_pass.h"

namespace innerloop {

class RecurrentSampler : public ActionSampler {
 public:
  // Row-major, read by the constructor only: weight_ih [gates units, inputs], weight_hh [gates units, units],
  // bias_ih, bias_hh [gates units], start [states units].
  struct Weights {
    const float *weight_ih, *weight_hh, *bias_ih, *bias_hh, *start;
    int64_t inputs, units;
  };

  // `head` acts on the units' outputs h.
  RecurrentSampler(Cell cell, const Weights& weights, std::unique_ptr<ActionSampler> head);

  Eigen::Index observation_size() const override { return input_.inputs(); }
  Eigen::Index action_entries() const override { return head_->action_entries(); }
  std::unique_ptr<Workspace> workspace(Eigen::Index max_columns) const override;
  void begin(Workspace& workspace) const override;
  void act(const Eigen::Ref<const Eigen::MatrixXf>& observations, Stream* const* streams,
           Workspace& workspace, Eigen::Ref<Eigen::MatrixXf> actions) const override;

 private:
  Cell cell_;
  int64_t units_, padded_;  // padded: units filled up to whole vectors
  MlpForward input_, recurrent_;
  Eigen::VectorXf start_;  // [states padded]
  std::unique_ptr<ActionSampler> head_;
};

}  // namespace innerloop
