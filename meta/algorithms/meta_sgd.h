// Meta-SGD (Li, Zhou, Chen and Li 2017, eq. 3): a learned step size for every adapted parameter.
//
//   phi_{k+1} = phi_k - alpha o grad L(phi_k),   alpha a meta-parameter of phi's shape, starting at
//   inner.step_size
#pragma once

#include <memory>

#include "meta/algorithm.h"
#include "meta/update_rule.h"

namespace innerloop {

Algorithm meta_sgd();

// Its rule alone; the learned step sizes are "inner.step_size.NAME". UsageError unless step_size is positive.
std::shared_ptr<const UpdateRule> per_parameter_step(double step_size);

}  // namespace innerloop
