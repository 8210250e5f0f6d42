// Trust-region policy optimisation of the meta-parameters (Schulman et al. 2015, appendix C; as rllab's
// ConjugateGradientOptimizer, which the MAML paper used).
//
//   d = (F + damping I)^-1 g by conjugate gradients;  step = sqrt(2 delta / (d^T (F + damping I) d + 1e-8)) d
//   backtracking: meta - ratio^j step, j = 0, 1, ...; the first with loss < loss_before and KL <= delta
// rejected (meta kept) if none is found, a value is NaN, the loss did not fall, or KL >= delta.
#pragma once

#include <functional>

#include "meta/meta_optimizer.h"

namespace innerloop {

class Trpo : public MetaOptimizer {
 public:
  explicit Trpo(const MetaOptimizerConfig& config);
  MetaStep step(Params& meta, MetaProblem& problem) override;

 private:
  MetaOptimizerConfig config_;
};

// Solves A x = b for symmetric positive definite A, at most `iterations` steps or until |r|^2 < 1e-10.
// `product` is A x.
struct CgResult {
  torch::Tensor x;
  torch::Tensor product;
};
CgResult conjugate_gradient(const std::function<torch::Tensor(const torch::Tensor&)>& a,
                            const torch::Tensor& b, int64_t iterations);

}  // namespace innerloop
