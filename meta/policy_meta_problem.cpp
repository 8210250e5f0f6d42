#include "meta/policy_meta_problem.h"

#include "base/stopwatch.h"

namespace innerloop {

PolicyMetaProblem::PolicyMetaProblem(const InnerLoop& inner, const MetaObjective& objective,
                                     const Executor& executor, const Params& origin,
                                     const std::vector<RecordedChunk>& chunks)
    : inner_(inner),
      objective_(objective),
      executor_(executor),
      origin_(origin),
      chunks_(chunks),
      kl_(chunks.size()) {
  for (const auto& chunk : chunks_) {
    tasks_ += static_cast<double>(chunk.task->size());
    query_steps_ += chunk.task->data(chunk.adaptation.steps()).steps.sum().item<double>();
  }
}

MetaProblem::Value PolicyMetaProblem::value(const Params& meta) {
  const AddsSeconds timed(seconds_.value);
  const bool at_origin = identical(meta, origin_);
  const auto parts = executor_.map<Value>(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto& chunk = chunks_[static_cast<size_t>(c)];
    const auto& task = *chunk.task;
    const Adaptation adaptation = at_origin ? chunk.adaptation : inner_.adapt(meta, task);
    const auto sums = task.surrogate_and_kl(adaptation.adapted(), adaptation.steps());
    return Value{sums.loss.sum().item<double>(), sums.kl.sum().item<double>()};
  });
  Value total;
  for (const auto& part : parts) {
    total.loss += part.loss / tasks_;
    total.kl += part.kl / query_steps_;
  }
  return total;
}

Params PolicyMetaProblem::gradient(const Params& meta) {
  const AddsSeconds timed(seconds_.gradient);
  const bool at_origin = identical(meta, origin_);
  const Params sum = executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto& chunk = chunks_[static_cast<size_t>(c)];
    const Adaptation adaptation = at_origin ? chunk.adaptation : inner_.adapt(meta, *chunk.task);
    return adaptation.pullback(objective_.at(adaptation, *chunk.task).cotangents);
  });
  return (1 / tasks_) * sum;
}

Params PolicyMetaProblem::fisher_product(const Params& direction) {
  const AddsSeconds timed(seconds_.curvature);
  const Params sum = executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto i = static_cast<size_t>(c);
    const auto& adaptation = chunks_[i].adaptation;
    if (!kl_[i]) kl_[i] = chunks_[i].task->kl_at(adaptation.adapted(), adaptation.steps());
    return adaptation.pullback(kl_[i]->gauss_newton_product(adaptation.pushforward(direction)));
  });
  return (1 / query_steps_) * sum;
}

double PolicyMetaProblem::entropy() const {
  const auto sums = executor_.map<double>(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto& chunk = chunks_[static_cast<size_t>(c)];
    return chunk.task->entropy_sum(chunk.adaptation.steps());
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total / query_steps_;
}

}  // namespace innerloop
