// Layer-wise adaptive rate scaling (You, Gitman and Ginsburg 2017, "Large batch training of convolutional
// networks", Algorithm 1), for large meta-batches and meta-batches of many classes.
//
//   u = g + d theta                                        d: meta.weight_decay
//   r = eta |theta| / (|g| + d |theta|)                    eta: meta.trust; of every entry apart
//   m <- mu m + beta r u,   theta <- theta - m             mu: meta.momentum; beta: meta.step_size, scheduled
//
// r = 1 where theta or g is 0 throughout, which the paper leaves open (as SimCLR's and torchlars' code have
// it): such an entry would never move. With `meta.exclude_vectors` entries of one dimension or none, which
// are biases and the factors and shifts of normalisation, have r = 1 and d = 0, as in SimCLR's code.
#pragma once

#include "meta/meta_optimizer.h"

namespace innerloop {

class Lars : public MetaOptimizer {
 public:
  Lars(const MetaOptimizerConfig& config, const Params& meta);
  MetaStep step(Params& meta, MetaProblem& problem, const Moment& now) override;
  Params state() const override;
  void restore(const Params& state) override;

 private:
  MetaOptimizerConfig config_;
  Params m_;  // shapes of the meta-parameters
};

}  // namespace innerloop
