// Meta-optimizers that need the meta-gradient alone, clipped and scheduled as descent.h says.
#pragma once

#include "meta/meta_optimizer.h"

namespace innerloop {

// meta <- meta - beta g.
class Sgd : public MetaOptimizer {
 public:
  explicit Sgd(const MetaOptimizerConfig& config);
  MetaStep step(Params& meta, MetaProblem& problem, const Moment& now) override;

 private:
  MetaOptimizerConfig config_;
};

// Kingma and Ba 2015, Alg. 1, with beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8.
class Adam : public MetaOptimizer {
 public:
  Adam(const MetaOptimizerConfig& config, const Params& meta);
  MetaStep step(Params& meta, MetaProblem& problem, const Moment& now) override;
  Params state() const override;
  void restore(const Params& state) override;

 private:
  MetaOptimizerConfig config_;
  int64_t t_ = 0;
  Params m_, v_;  // first and second moments, shapes of the meta-parameters
};

}  // namespace innerloop
