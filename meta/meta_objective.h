// What of the adapted parameters is differentiated back to the meta-parameters.
#pragma once

#include <vector>

#include "meta/inner_loop.h"
#include "meta/task.h"

namespace innerloop {

class MetaObjective {
 public:
  virtual ~MetaObjective() = default;

  struct At {
    torch::Tensor loss;              // [T]
    std::vector<Params> cotangents;  // of sum_t loss_t on phi_0 .. phi_K, empty where there is none
  };
  virtual At at(const Adaptation& adaptation, const Task& task) const = 0;
};

// MAML's: the query loss after the last inner step, L_query(phi_K) (Finn et al. 2017, eq. 2-4).
class LastStepObjective : public MetaObjective {
 public:
  At at(const Adaptation& adaptation, const Task& task) const override;
};

struct MetaGradient {
  torch::Tensor loss;  // [T]
  Params gradient;     // of sum_t loss_t in the meta-parameters, [1, ...]
};

// Adapts to the task and differentiates the objective through the adaptation. Errors count tasks from
// first_task. If `adapted` is not null it receives phi_K.
MetaGradient meta_gradient(const InnerLoop& inner, const MetaObjective& objective, const Params& meta,
                           const Task& task, int64_t first_task = 0, Params* adapted = nullptr);

}  // namespace innerloop
