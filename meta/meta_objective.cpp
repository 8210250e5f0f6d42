#include "meta/meta_objective.h"

namespace innerloop {

torch::Tensor MetaObjective::value(const Adaptation& adaptation, const Task& task, const Moment& now) const {
  return at(adaptation, task, now).loss;
}

MetaObjective::At LastStepObjective::at(const Adaptation& adaptation, const Task& task, const Moment&) const {
  const auto query = task.loss_at(Part::kQuery, adaptation.adapted(), adaptation.steps());
  std::vector<Params> cotangents(static_cast<size_t>(adaptation.steps()) + 1);
  cotangents.back() = query->gradient();
  return {query->loss(), std::move(cotangents)};
}

torch::Tensor LastStepObjective::value(const Adaptation& adaptation, const Task& task, const Moment&) const {
  return task.value(Part::kQuery, adaptation.adapted(), adaptation.steps());
}

Params meta_gradient(const MetaObjective::At& at, const Adaptation& adaptation) {
  Params gradient = adaptation.pullback(at.cotangents, at.second_order);
  return at.direct.empty() ? gradient : gradient + at.direct;
}

}  // namespace innerloop
