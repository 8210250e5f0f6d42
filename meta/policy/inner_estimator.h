// The policy-gradient loss of the inner steps. No torch: configurations are read without it.
#pragma once

#include <string>

#include "base/row.h"

namespace innerloop {

enum class InnerEstimator { kLogLikelihood, kLikelihoodRatio, kDice };  // formulas: policy_gradient_task.h

inline const Spellings<InnerEstimator> kInnerEstimators{
    {"log_likelihood", InnerEstimator::kLogLikelihood},
    {"likelihood_ratio", InnerEstimator::kLikelihoodRatio},
    {"dice", InnerEstimator::kDice}};

// UsageError with the known names.
inline InnerEstimator parse_inner_estimator(const std::string& name) {
  return find_named("inner.estimator", kInnerEstimators, name).value;
}

}  // namespace innerloop
