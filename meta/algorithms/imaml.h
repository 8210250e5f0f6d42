// Implicit MAML (Rajeswaran, Finn, Kakade and Levine, NeurIPS 2019, Algorithms 1 and 2; code:
// aravindr93/imaml_dev): the meta-gradient is that of a minimum near theta, not of the path to it.
//
//   phi* = argmin_phi L_support(phi) + lambda/2 |phi - theta|^2                     (eq. 3)
//   d L_query(phi*) / d theta = (I + H / lambda)^-1 grad L_query(phi*),   H the Hessian of L_support at phi*
//
// K gradient steps from theta stand for the minimum, a few conjugate-gradient steps for the inverse, each
// task's its own. No step is kept: memory does not grow with K.
//
// What the official code (examples/omniglot_implicit_maml.py) does otherwise, as keys:
//
//   proximal = after_steps     K steps on L_support alone, then one of size alpha on lambda/2 |phi - theta|^2
//                              (every_step: K steps on the sum, the paper's)
//   cg_damping = 1, lambda_damping = 10      (1 + cg_damping) I + H / (lambda + lambda_damping) is inverted
//                              (0 and 0: the paper's)
//   regularise_tests = false   held-out tasks adapt with lambda = 0
//   cg_iterations = 0          the right side as it is, the code's first-order form for cg_steps <= 1
//
// The paper's Hessian-free inner solver is not in the code and not here.
#pragma once

#include <cstdint>
#include <memory>

#include "meta/algorithm.h"
#include "meta/task.h"
#include "meta/update_rule.h"

namespace innerloop {

struct ImamlConfig {
  double lambda = 2;
  bool after_steps = false;
  bool regularise_tests = true;
  int64_t cg_iterations = 5;
  double cg_damping = 0;
  double lambda_damping = 0;
};

Algorithm imaml();

// The inner step alone; the state is theta. `steps`: the number of inner steps, after whose last
// `after_steps` pulls back. UsageError unless step_size is positive.
std::shared_ptr<const UpdateRule> proximal_step(double step_size, int64_t steps, const ImamlConfig& config);

// The query loss at phi [T, ...] and what the implicit derivative makes of its gradient, each task's own.
struct ImplicitGradient {
  torch::Tensor loss;  // [T]
  Params gradient;     // [T, ...]
};
ImplicitGradient implicit_gradient(const Task& task, const Params& phi, int64_t step,
                                   const ImamlConfig& config);

}  // namespace innerloop
