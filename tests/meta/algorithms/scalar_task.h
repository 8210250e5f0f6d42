// One parameter p, L_support = (p - 1)^2, L_query = p^2 / 2: the task on which the algorithms' oracles are
// worked out by hand (a Hessian of 2 on the support side).
#pragma once

#include <memory>

#include "meta/gradient_method.h"
#include "tests/torch_catch.h"

namespace innerloop {

class ScalarTask : public Task {
 public:
  int64_t size() const override { return 1; }
  torch::Tensor loss(Part part, const Params& p, int64_t) const override {
    const auto value = p[0].view({1});
    return part == Part::kSupport ? (value - 1).square() : value.square() / 2;
  }
};

inline MethodContext scalar_context(const InnerLoopConfig& inner) {
  return {.inner = inner, .initial = [](Stream&) {
            return Params({{"p", torch::zeros({1, 1}, torch::kFloat64)}});
          }};
}

// The method of a row that knows policies, made for the scalar task.
inline std::unique_ptr<GradientMethod> scalar_method(const Algorithm& algorithm, const Texts& own,
                                                     const InnerLoopConfig& inner) {
  return algorithm.policy_method(own, scalar_context(inner));
}

struct ScalarOutcome {
  double phi = 0;       // after the last step
  double loss = 0;      // of the objective
  double gradient = 0;  // of it in theta
  Params meta;          // the whole meta-gradient, the rule's own parameters included
};

inline ScalarOutcome adapt_scalar(const GradientMethod& method, double theta, const Moment& now = {}) {
  const ScalarTask task;
  const auto view = method.view(task, now);
  Stream stream(StreamKey{});
  Params meta = method.initial(stream).cloned();
  meta[0].fill_(theta);
  const auto adaptation = method.inner().adapt(meta, *view, now);
  const auto at = method.objective().at(adaptation, *view, now);
  ScalarOutcome out{adaptation.adapted()[0].item<double>(), at.loss.item<double>(), 0,
                    meta_gradient(at, adaptation)};
  out.gradient = out.meta[0].item<double>();
  return out;
}

}  // namespace innerloop
