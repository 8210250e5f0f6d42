// What the core knows of a batch of T tasks: two losses. The core cannot tell a few-shot episode from
// recorded trajectories.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "networks/loss_at.h"
#include "networks/params.h"

namespace innerloop {

class Task {
 public:
  virtual ~Task() = default;
  virtual int64_t size() const = 0;  // T

  // params [T, ...] -> [T], in differentiable LibTorch operations; `step` is the number of inner steps taken
  // before.
  virtual torch::Tensor support_loss(const Params& params, int64_t step) const = 0;
  virtual torch::Tensor query_loss(const Params& params, int64_t step) const = 0;

  // The same losses with derivatives. By default autograd of the functions above; a task with faster exact
  // derivatives overrides them.
  virtual std::unique_ptr<LossAt> support_at(const Params& params, int64_t step) const;
  virtual std::unique_ptr<LossAt> query_at(const Params& params, int64_t step) const;
};

}  // namespace innerloop
