// What the core knows of a batch of T tasks: losses of their support and query data. The core cannot tell a
// few-shot episode from recorded trajectories.
#pragma once

#include <memory>

#include "networks/tensors/loss_at.h"
#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// Which data of a task: what it adapts on, what it is judged by, or both as one batch.
enum class Part { kSupport, kQuery, kBoth };

class Task {
 public:
  virtual ~Task() = default;
  virtual int64_t size() const = 0;  // T

  // params [T, ...] -> [T], in differentiable LibTorch operations; `step` is the number of inner steps taken
  // before. Error for a part that the task does not have.
  virtual torch::Tensor loss(Part part, const Params& params, int64_t step) const = 0;

  // The same loss with derivatives. By default autograd of loss(); a task with faster exact derivatives
  // overrides it.
  virtual std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const;

  // The same loss outside any graph, [T]. By default loss(); a task with a faster way overrides it.
  virtual torch::Tensor value(Part part, const Params& params, int64_t step) const;
};

}  // namespace innerloop
