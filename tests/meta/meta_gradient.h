// Loss and meta-gradient of one pass over tasks, as a learner takes it.
#pragma once

#include "meta/inner_loop.h"
#include "meta/meta_objective.h"

namespace innerloop {

struct MetaGradient {
  torch::Tensor loss;  // [T]
  Params gradient;     // [1, ...], summed over tasks
};

inline MetaGradient meta_gradient(const InnerLoop& inner, const MetaObjective& objective, const Params& meta,
                                  const Task& task, const Moment& now = {}) {
  const Adaptation adaptation = inner.adapt(meta, task, now);
  const auto at = objective.at(adaptation, task, now);
  return {at.loss, meta_gradient(at, adaptation)};
}

inline double meta_loss(const InnerLoop& inner, const MetaObjective& objective, const Params& meta,
                        const Task& task, const Moment& now = {}) {
  return objective.value(inner.adapt(meta, task, now), task, now).sum().item<double>();
}

}  // namespace innerloop
