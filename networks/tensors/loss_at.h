// What the inner loop asks of a network or a policy: a loss per task at one point of the parameters, with its
// derivatives there.
#pragma once

#include <functional>
#include <memory>

#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// Each task's loss depends on its own slice of the
// parameters only, so gradients and Hessians are per task.
class LossAt {
 public:
  virtual ~LossAt() = default;
  virtual const torch::Tensor& loss() = 0;  // [T]
  virtual const Params& gradient() = 0;     // dL_t / dparams_t, [T, ...], every entry of params
  // H v: the Hessian in all entries of params times v [T, ...]. May be called any number of times.
  virtual Params hessian_product(const Params& direction) = 0;
};

// Autograd's derivatives of any function params -> [T] whose t-th entry depends on the t-th slices only.
std::unique_ptr<LossAt> autograd_loss(const std::function<torch::Tensor(const Params&)>& loss,
                                      const Params& params);

}  // namespace innerloop
