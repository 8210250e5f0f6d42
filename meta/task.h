// What the core knows of a batch of T tasks: two losses. The core cannot tell a few-shot episode from
// recorded trajectories.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>

#include "networks/params.h"

namespace innerloop {

// A loss per task at one point, with its derivatives there. Each task's loss depends on its own slice of the
// parameters only, so gradients and Hessians are per task.
class LossAt {
 public:
  virtual ~LossAt() = default;
  virtual const torch::Tensor& loss() = 0;  // [T]
  virtual const Params& gradient() = 0;     // dL_t / dparams_t, [T, ...], every entry of params
  // H v: the Hessian in all entries of params times v [T, ...]. May be called any number of times.
  virtual Params hessian_product(const Params& direction) = 0;
};

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

// Autograd's derivatives of any function params -> [T] whose t-th entry depends on the t-th slices only.
std::unique_ptr<LossAt> autograd_loss(const std::function<torch::Tensor(const Params&)>& loss,
                                      const Params& params);

}  // namespace innerloop
