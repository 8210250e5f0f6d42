// What the MLP policies' sampling forms share.
#pragma once

#include <memory>

#include "networks/mlp.h"
#include "policies/action_sampler.h"
#include "policies/mlp_forward.h"

namespace innerloop {

// The network with the weights of task `task` of `params` [T, ...], copied.
MlpForward mlp_forward(const Mlp& network, const Params& params, int64_t task);

// One task's slice of an entry, as contiguous float32 on the CPU.
torch::Tensor task_slice(const torch::Tensor& value, int64_t task);

struct MlpWorkspace : ActionSampler::Workspace {
  explicit MlpWorkspace(MlpForward::Workspace w) : forward(std::move(w)) {}
  MlpForward::Workspace forward;
};

class MlpSampler : public ActionSampler {
 public:
  explicit MlpSampler(MlpForward network) : network_(std::move(network)) {}
  Eigen::Index observation_size() const override { return network_.inputs(); }
  std::unique_ptr<Workspace> workspace(Eigen::Index max_columns) const override {
    return std::make_unique<MlpWorkspace>(network_.workspace(max_columns));
  }

 protected:
  MlpForward::Output output(const Eigen::Ref<const Eigen::MatrixXf>& observations,
                            Workspace& workspace) const {
    return network_(observations, static_cast<MlpWorkspace&>(workspace).forward);
  }

 private:
  MlpForward network_;
};

}  // namespace innerloop
