// The meta-objective of policies on one iteration's recorded trajectories (Finn et al. 2017, Alg. 3):
//   J(theta) = mean_i of the method's objective at the adaptation of theta to task i,
//   mean KL = KL(old || new) of the adapted policies, averaged over all steps of all tasks.
#pragma once

#include <memory>
#include <vector>

#include "meta/executor.h"
#include "meta/gradient_method.h"
#include "meta/meta_optimizer.h"
#include "meta/policy/rollouts.h"

namespace innerloop {

class PolicyMetaProblem : public TrustRegionProblem {
 public:
  // All but `origin` outlive the problem. `origin`: the meta-parameters the chunks were recorded with.
  PolicyMetaProblem(const GradientMethod& method, const Executor& executor, const Params& origin,
                    const std::vector<RecordedChunk>& chunks);

  Value value(const Params& meta) override;
  Params gradient(const Params& meta) override;
  // J^T F J v: exact at the origin, where the KL's Hessian through the inner loop has no third-derivative
  // term because its gradient at phi_K is zero.
  Params fisher_product(const Params& direction) override;

  // MetaObjective::found of all tasks at `meta`; empty where the objective finds nothing.
  Params found(const Params& meta) const;

  double entropy() const;  // of the policies that recorded the query data, nats, mean over steps

  struct Seconds {
    double value = 0, gradient = 0, curvature = 0;
  };
  // Spent so far in value(), gradient(), fisher_product().
  const Seconds& seconds() const { return seconds_; }

 private:
  Adaptation adapted(const RecordedChunk& chunk, const Params& meta, bool at_origin) const;

  const GradientMethod& method_;
  const Executor& executor_;
  const Params origin_;
  const std::vector<RecordedChunk>& chunks_;
  std::vector<std::shared_ptr<ComposedLoss>> kl_;  // per chunk, made at the first product
  double tasks_ = 0, query_steps_ = 0;
  Params valued_;  // where value() was asked last, and its answer: an optimizer of several epochs asks twice
  Value value_;
  Seconds seconds_;
};

}  // namespace innerloop
