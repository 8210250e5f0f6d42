// What is done with the meta-gradient.
#pragma once

#include <optional>

#include "meta/meta_optimizer_config.h"
#include "meta/moment.h"
#include "networks/tensors/params.h"

namespace innerloop {

class TrustRegionProblem;

// The meta-objective of one iteration, on fixed data, as a function of the meta-parameters. `origin` is where
// the iteration started: gradients are asked there first.
class MetaProblem {
 public:
  virtual ~MetaProblem() = default;
  struct Value {
    double loss = 0;
    double kl = 0;  // mean KL(old || new) of the adapted policies; 0 where there is no policy
  };
  virtual Value value(const Params& meta) = 0;
  virtual Params gradient(const Params& meta) = 0;
  // What an optimizer that does not need it reports of the new meta-parameters; nothing where it would cost a
  // second pass.
  virtual std::optional<Value> value_after(const Params& meta) { return value(meta); }
  virtual TrustRegionProblem* trust_region() { return nullptr; }  // this, where there are policies
};

// A problem over policies, whose values say how far the adapted policies have moved.
class TrustRegionProblem : public MetaProblem {
 public:
  // F v at the origin: the Hessian of the mean KL, J^T F J through the adaptation.
  virtual Params fisher_product(const Params& direction) = 0;
  TrustRegionProblem* trust_region() override { return this; }
};

struct MetaStep {
  double loss_before = 0, loss_after = 0;  // after: NaN if the problem does not tell (value_after)
  double kl_before = 0, kl_after = 0;
  int64_t line_search = 0;  // trpo: index of the accepted step, -1 if rejected; otherwise 0
  bool accepted = true;
};

class MetaOptimizer {
 public:
  virtual ~MetaOptimizer() = default;
  // Replaces `meta` by the next meta-parameters. Error if the loss or gradient is not finite; `meta` is then
  // as before.
  virtual MetaStep step(Params& meta, MetaProblem& problem, const Moment& now) = 0;
  virtual Params state() const { return {}; }       // what a checkpoint must hold beside the meta-parameters
  virtual void restore(const Params& /*state*/) {}  // Error if it does not fit
};

}  // namespace innerloop
