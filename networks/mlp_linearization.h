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

#include <memory>

#include "networks/linearization.h"
#include "networks/mlp.h"
#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

class MlpLinearization final : public Linearization {
 public:
  // Runs the forward pass and keeps the activations and the weights, so that later changes of the tensors are
  // not seen. borrow: nobody writes to the parameters' tensors while this lives; then they need not be
  // copied. params [T, ...], x [T, N, inputs].
  MlpLinearization(const Mlp& network, const Params& params, const torch::Tensor& x, bool borrow = false);
  ~MlpLinearization() override;

  const torch::Tensor& output() const override;
  Params pullback(const torch::Tensor& cotangent) override;
  torch::Tensor pushforward(const Params& direction) override;
  Params pullback_tangent(const Params& direction, const torch::Tensor& cotangent,
                          const torch::Tensor& cotangent_tangent) override;

 private:
  friend torch::Tensor mlp_output(const Mlp& network, const Params& params, const torch::Tensor& x);
  struct State;
  std::unique_ptr<State> state_;
};

// y [T, N, outputs] alone, without keeping anything: the fastest evaluation.
torch::Tensor mlp_output(const Mlp& network, const Params& params, const torch::Tensor& x);

}  // namespace innerloop
