// A network at one point (params, x) with its derivatives there: a loss taken on its output needs nothing
// else (networks/head.h).
#pragma once

#include <functional>
#include <memory>

#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// y(params) with its Jacobian J in the network's entries of params [T, ...], a task's rows in its own slice
// alone. Directions may hold further entries, which are ignored, and slices with stride 0 (Params::expanded);
// results hold the network's entries, outside any graph. What depends on one argument alone may be kept and
// used again while the same tensors come back unwritten, so one object serves one thread at a time.
class Linearization {
 public:
  virtual ~Linearization() = default;

  virtual const torch::Tensor& output() const = 0;  // y [T, N, outputs]

  // J^T c: the gradient of sum(c * y); c [T, N, outputs].
  virtual Params pullback(const torch::Tensor& c) = 0;

  // J v: the derivative of y along v, [T, N, outputs].
  virtual torch::Tensor pushforward(const Params& v) = 0;

  // d/de [ J(params + e v)^T (c + e ct) ] at e = 0: with c = dL/dy and ct = (d2L/dy2) J v this is the
  // Hessian-vector product of L(y(params)).
  virtual Params pullback_tangent(const Params& v, const torch::Tensor& c, const torch::Tensor& ct) = 0;
};

// Autograd's derivatives of any function params -> [T, N, outputs] whose t-th slice depends on the t-th
// slices only. Every entry of params counts as the network's.
std::unique_ptr<Linearization> autograd_linearization(
    const std::function<torch::Tensor(const Params&)>& forward, const Params& params);

// Whether hand-written kernels take these samples: float32 or float64 on the CPU.
bool fits_kernels(const torch::Tensor& x);

}  // namespace innerloop
