// An MLP at one point (params, x) and its derivatives there, in hand-written kernels.
//
// LibTorch's autograd builds an operation per matrix product, activation and reduction, and pays dispatch,
// allocation and a trip through memory for each. Here a task's samples go through the whole network block by
// block in cache, and second derivatives are Pearlmutter's R-operator ("Fast exact multiplication by the
// Hessian", 1994): a Hessian-vector product of any loss head(y) costs six matrix products per layer instead
// of eight or more.
//
// Single-threaded and deterministic; float32 and float64. T tasks are processed one after another: callers
// run chunks of tasks on threads.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>

#include "networks/mlp.h"
#include "networks/params.h"

namespace innerloop {

class MlpLinearization {
 public:
  // Runs the forward pass and keeps the activations and the weights, so that later changes of the tensors are
  // not seen. borrow: nobody writes to the parameters' tensors while this lives; then they need not be
  // copied. params [T, ...] (further entries than the network's are ignored), x [T, N, inputs].
  MlpLinearization(const Mlp& network, const Params& params, const torch::Tensor& x, bool borrow = false);
  ~MlpLinearization();

  const torch::Tensor& output() const;  // y [T, N, outputs]

  // J^T c: the gradient of sum(c * y) in the network's parameters; c [T, N, outputs].
  Params pullback(const torch::Tensor& cotangent) const;

  // J v: the derivative of y along v (the network's parameters; further entries ignored), [T, N, outputs].
  torch::Tensor pushforward(const Params& direction) const;

  // d/de [ J(params + e v)^T (c + e c') ] at e = 0: with c = dL/dy and c' = (d2L/dy2) J v this is the
  // Hessian-vector product of L(y(params)). What depends on one argument alone is kept and used again while
  // the same tensors come back unwritten: the forward tangent of `direction` (also from the last
  // pushforward), and the backward pass of `cotangent`. One object therefore serves one thread at a time.
  Params pullback_tangent(const Params& direction, const torch::Tensor& cotangent,
                          const torch::Tensor& cotangent_tangent) const;

 private:
  friend torch::Tensor mlp_output(const Mlp& network, const Params& params, const torch::Tensor& x);
  struct State;
  std::unique_ptr<State> state_;
};

// y [T, N, outputs] alone, without keeping anything: the fastest evaluation.
torch::Tensor mlp_output(const Mlp& network, const Params& params, const torch::Tensor& x);

// A loss per task that depends on the network through its output: (y [T, N, outputs], own) -> [T]. `own`
// holds the entries of params that are not the network's (a log-std), and only those: a head that read the
// weights themselves would lose that part of its derivative. A task's loss depends on its slice only and is a
// sum over its samples, each entering through its own output alone. Differentiable twice by autograd.
using Head = std::function<torch::Tensor(const torch::Tensor& output, const Params& own)>;

// L(params) = head(mlp(x; params), own entries of params) at one point, with its derivatives; what autograd
// would give, faster.
class MlpObjective {
 public:
  MlpObjective(const Mlp& network, const Params& params, const torch::Tensor& x, Head head);
  ~MlpObjective();

  const torch::Tensor& loss() const;  // [T]
  const Params& gradient() const;     // [T, ...], every entry of params; computed at the first call
  Params hessian_product(const Params& direction) const;  // H v, entries as params

  // J^T (d2 head) J v: the Hessian without the network's own curvature. It is the whole Hessian where the
  // head's gradient in y vanishes, as for KL(old || new) at new = old: there it is the Fisher product.
  Params gauss_newton_product(const Params& direction) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace innerloop
