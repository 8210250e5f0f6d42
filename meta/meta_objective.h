// What of the adapted parameters is differentiated back to the meta-parameters.
#pragma once

#include <vector>

#include "meta/inner_loop.h"
#include "meta/moment.h"
#include "meta/task.h"

namespace innerloop {

class MetaObjective {
 public:
  virtual ~MetaObjective() = default;

  struct At {
    torch::Tensor loss;              // [T]
    std::vector<Params> cotangents;  // of sum_t loss_t on phi_0 .. phi_K, empty where there is none
    Params direct = {};        // of sum_t loss_t in the meta-parameters themselves, [1, ...]; empty: none
    bool second_order = true;  // whether this iteration's gradient has second derivatives (annealing)
  };
  virtual At at(const Adaptation& adaptation, const Task& task, const Moment& now) const = 0;

  // The loss of at() alone, outside any graph: the function that a line search asks for is the one whose
  // gradient is taken.
  virtual torch::Tensor value(const Adaptation& adaptation, const Task& task, const Moment& now) const;

  // What the method is told once an iteration, after theta has moved (Method::absorb): summed over tasks, [1,
  // ...].
  virtual bool finds() const { return false; }
  virtual Params found(const Adaptation& /*adaptation*/, const Task& /*task*/, const Moment& /*now*/) const {
    return {};
  }
};

// MAML's: the query loss after the last inner step, L_query(phi_K) (Finn et al. 2017, eq. 2-4).
class LastStepObjective : public MetaObjective {
 public:
  At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override;
  torch::Tensor value(const Adaptation& adaptation, const Task& task, const Moment& now) const override;
};

// The gradient of at()'s loss in the meta-parameters, [1, ...], summed over tasks.
Params meta_gradient(const MetaObjective::At& at, const Adaptation& adaptation);

}  // namespace innerloop
