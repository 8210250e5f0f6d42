// Trust-region policy optimisation of the meta-parameters (Schulman et al. 2015, appendix C; as rllab's
// ConjugateGradientOptimizer, which the MAML paper used).
//
//   d = (F + damping I)^-1 g by conjugate gradients;  step = sqrt(2 delta / (d^T (F + damping I) d + 1e-8)) d
//   backtracking: meta - ratio^j step, j = 0, 1, ...; the first with loss < loss_before and KL <= delta
// rejected (meta kept) if none is found, a value is NaN, the loss did not fall, or KL >= delta.
#pragma once

#include "meta/meta_optimizer.h"

namespace innerloop {

class Trpo : public MetaOptimizer {
 public:
  explicit Trpo(const MetaOptimizerConfig& config);
  // UsageError for a problem without policies.
  MetaStep step(Params& meta, MetaProblem& problem, const Moment& now) override;

 private:
  MetaOptimizerConfig config_;
};

}  // namespace innerloop
