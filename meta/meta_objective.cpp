#include "meta/meta_objective.h"

namespace innerloop {

MetaObjective::At LastStepObjective::at(const Adaptation& adaptation, const Task& task) const {
  const auto query = task.query_at(adaptation.adapted(), adaptation.steps());
  std::vector<Params> cotangents(static_cast<size_t>(adaptation.steps()) + 1);
  cotangents.back() = query->gradient();
  return {query->loss(), std::move(cotangents)};
}

MetaGradient meta_gradient(const InnerLoop& inner, const MetaObjective& objective, const Params& meta,
                           const Task& task, int64_t first_task, Params* adapted) {
  const Adaptation adaptation = inner.adapt(meta, task, first_task);
  if (adapted != nullptr) *adapted = adaptation.adapted();
  const auto at = objective.at(adaptation, task);
  return {at.loss, adaptation.pullback(at.cotangents)};
}

}  // namespace innerloop
