#include "meta/algorithms/meta_sgd.h"

#include "base/error.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

class PerParameterStep : public UpdateRule {
 public:
  explicit PerParameterStep(double step_size) : initial_(step_size) {
    require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
  }

  Params meta_parameters(const Params& adapted, int64_t, Stream&) const override {
    std::vector<Params::Entry> entries;
    for (const auto& entry : adapted) {
      entries.push_back({"inner.step_size." + entry.name, torch::full_like(entry.value, initial_)});
    }
    return Params(std::move(entries));
  }

  Out update(const In& in) const override {
    std::vector<Tensor> out;
    for (size_t i = 0; i < in.phi.size(); ++i)
      out.push_back(in.phi[i] - in.scale * in.rule[i] * in.gradient[i]);
    return {in.phi.with(std::move(out)), {}};
  }

  Cotangents pullback(const In& in, const Out& c) const override {
    std::vector<Tensor> to_rule, to_gradient;
    for (size_t i = 0; i < c.phi.size(); ++i) {
      to_rule.push_back(-in.scale * in.gradient[i] * c.phi[i]);
      to_gradient.push_back(-in.scale * in.rule[i] * c.phi[i]);
    }
    return {
        in.rule.with(std::move(to_rule)).sum_over_tasks(), c.phi, c.phi.with(std::move(to_gradient)), {}, {}};
  }

  Out pushforward(const In& in, const Tangents& d) const override {
    std::vector<Tensor> out;
    for (size_t i = 0; i < in.gradient.size(); ++i) {
      out.push_back(d.phi[i] - in.scale * (in.rule[i] * d.gradient[i] + d.rule[i] * in.gradient[i]));
    }
    return {in.gradient.with(std::move(out)), {}};
  }

 private:
  double initial_;
};

Parts meta_sgd_parts(const NoSettings&, const MethodContext& context) {
  return {.rule = per_parameter_step(context.inner.step_size)};
}

}  // namespace

std::shared_ptr<const UpdateRule> per_parameter_step(double step_size) {
  return std::make_shared<PerParameterStep>(step_size);
}

Algorithm meta_sgd() {
  return gradient_algorithm({.name = "meta_sgd",
                             .paper = "Li et al. 2017, eq. 3",
                             .summary = "MAML with a learned step size for every parameter"},
                            kNoKeys, meta_sgd_parts);
}

}  // namespace innerloop
