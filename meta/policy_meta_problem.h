// The meta-objective of policy-gradient MAML on one iteration's recorded trajectories (Finn et al. 2017, Alg.
// 3):
//   J(theta) = mean_i query_i(phi_i,K(theta)),   mean KL = KL(old || new) averaged over all steps of all
//   tasks.
#pragma once

#include <memory>
#include <vector>

#include "meta/executor.h"
#include "meta/inner_loop.h"
#include "meta/meta_objective.h"
#include "meta/meta_optimizer.h"
#include "meta/policy_gradient_task.h"

namespace innerloop {

// One chunk: recorded tasks and the adaptation of the origin on them.
struct RecordedChunk {
  std::unique_ptr<PolicyGradientTask> task;
  Adaptation adaptation;
};

class PolicyMetaProblem : public MetaProblem {
 public:
  // All but `origin` outlive the problem. `origin`: the meta-parameters the chunks were recorded with.
  PolicyMetaProblem(const InnerLoop& inner, const MetaObjective& objective, const Executor& executor,
                    const Params& origin, const std::vector<RecordedChunk>& chunks);

  Value value(const Params& meta) override;
  Params gradient(const Params& meta) override;
  // J^T F J v: exact at the origin, where the KL's Hessian through the inner loop has no third-derivative
  // term because its gradient at phi_K is zero.
  Params fisher_product(const Params& direction) override;

  double entropy() const;  // of the policies that recorded the query data, nats, mean over steps

  struct Seconds {
    double value = 0, gradient = 0, curvature = 0;
  };
  const Seconds& seconds() const {
    return seconds_;
  }  // spent so far in value(), gradient(), fisher_product()

 private:
  const InnerLoop& inner_;
  const MetaObjective& objective_;
  const Executor& executor_;
  const Params origin_;
  const std::vector<RecordedChunk>& chunks_;
  std::vector<std::shared_ptr<MlpObjective>> kl_;  // per chunk, made at the first product
  double tasks_ = 0, query_steps_ = 0;
  Seconds seconds_;
};

}  // namespace innerloop
