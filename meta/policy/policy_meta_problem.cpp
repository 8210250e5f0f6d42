#include "meta/policy/policy_meta_problem.h"

#include "base/stopwatch.h"

namespace innerloop {
namespace {

// Whether both hold the very same tensors: parameters are replaced, never written to.
bool same_tensors(const Params& a, const Params& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].is_same(b[i])) return false;
  }
  return true;
}

}  // namespace

PolicyMetaProblem::PolicyMetaProblem(const GradientMethod& method, const Executor& executor,
                                     const Params& origin, const std::vector<RecordedChunk>& chunks)
    : method_(method), executor_(executor), origin_(origin), chunks_(chunks), kl_(chunks.size()) {
  const auto totals = as_numbers(executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto& chunk = chunks_[static_cast<size_t>(c)];
    return as_params({static_cast<double>(chunk.task->size()),
                      chunk.task->data(chunk.adaptation.steps()).steps.sum().item<double>()});
  }));
  tasks_ = totals[0];
  query_steps_ = totals[1];
}

Adaptation PolicyMetaProblem::adapted(const RecordedChunk& chunk, const Params& meta, bool at_origin) const {
  return at_origin ? chunk.adaptation : method_.inner().adapt(meta, *chunk.view, chunk.now);
}

MetaProblem::Value PolicyMetaProblem::value(const Params& meta) {
  if (!valued_.empty() && same_tensors(valued_, meta)) return value_;
  const AddsSeconds timed(seconds_.value);
  const bool at_origin = identical(meta, origin_);
  const auto total = as_numbers(executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto& chunk = chunks_[static_cast<size_t>(c)];
    const Adaptation adaptation = adapted(chunk, meta, at_origin);
    const int64_t steps = adaptation.steps();
    const auto loss = method_.objective().value(adaptation, *chunk.view, chunk.now);
    const auto kl = chunk.task->kl(method_.read(adaptation.adapted(), Part::kQuery, steps, chunk.now), steps);
    return as_params({loss.sum().item<double>() / tasks_, kl.sum().item<double>() / query_steps_});
  }));
  valued_ = meta;
  return value_ = {total[0], total[1]};
}

Params PolicyMetaProblem::gradient(const Params& meta) {
  const AddsSeconds timed(seconds_.gradient);
  const bool at_origin = identical(meta, origin_);
  const Params sum = executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto& chunk = chunks_[static_cast<size_t>(c)];
    const Adaptation adaptation = adapted(chunk, meta, at_origin);
    return meta_gradient(method_.objective().at(adaptation, *chunk.view, chunk.now), adaptation);
  });
  return (1 / tasks_) * sum;
}

Params PolicyMetaProblem::fisher_product(const Params& direction) {
  const AddsSeconds timed(seconds_.curvature);
  const Params sum = executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto i = static_cast<size_t>(c);
    const auto& [task, view, adaptation, now] = chunks_[i];
    const int64_t steps = adaptation.steps();
    const Params& phi = adaptation.adapted();
    if (!kl_[i]) kl_[i] = task->kl_at(method_.read(phi, Part::kQuery, steps, now), steps);
    const Params moved =
        method_.read_tangent(phi, Part::kQuery, steps, now, adaptation.pushforward(direction));
    return adaptation.pullback(
        method_.read_cotangent(phi, Part::kQuery, steps, now, kl_[i]->gauss_newton_product(moved)));
  });
  return (1 / query_steps_) * sum;
}

Params PolicyMetaProblem::found(const Params& meta) const {
  if (!method_.objective().finds()) return {};
  const bool at_origin = identical(meta, origin_);
  return executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto& chunk = chunks_[static_cast<size_t>(c)];
    return method_.objective().found(adapted(chunk, meta, at_origin), *chunk.view, chunk.now);
  });
}

double PolicyMetaProblem::entropy() const {
  const Params sum = executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
    const auto& chunk = chunks_[static_cast<size_t>(c)];
    return as_params({chunk.task->entropy_sum(chunk.adaptation.steps())});
  });
  return as_numbers(sum).front() / query_steps_;
}

}  // namespace innerloop
