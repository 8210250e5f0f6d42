#include "meta/update_rule.h"

#include "base/error.h"
#include "networks/elementwise.h"

namespace innerloop {
namespace {

using torch::Tensor;
using torch::autograd::grad;

std::vector<Tensor> concatenated(const Params& a, const Params& b, const Params& c) {
  auto out = a.tensors();
  for (const auto* part : {&b, &c}) {
    const auto tensors = part->tensors();
    out.insert(out.end(), tensors.begin(), tensors.end());
  }
  return out;
}

std::vector<Tensor> zeros_where_undefined(std::vector<Tensor> values, const std::vector<Tensor>& like) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].defined()) values[i] = torch::zeros_like(like[i]);
  }
  return values;
}

class FixedStep : public UpdateRule {
 public:
  explicit FixedStep(double step_size) : alpha_(step_size) {}

  Params update(const Params&, const Params& phi, const Params& gradient, double scale) const override {
    return combination(1, phi, -alpha_ * scale, gradient);
  }
  Cotangents pullback(const Params&, const Params&, const Params&, double scale,
                      const Params& c) const override {
    return {{}, c, -alpha_ * scale * c};
  }
  Params pushforward(const Params&, const Params&, const Params&, double scale,
                     const Tangents& d) const override {
    return update({}, d.phi, d.gradient, scale);
  }

 private:
  double alpha_;
};

class PerParameterStep : public UpdateRule {
 public:
  explicit PerParameterStep(double step_size) : initial_(step_size) {}

  Params meta_parameters(const Params& adapted) const override {
    std::vector<Params::Entry> entries;
    for (const auto& entry : adapted) {
      entries.push_back({"inner.step_size." + entry.name, torch::full_like(entry.value, initial_)});
    }
    return Params(std::move(entries));
  }
  Params update(const Params& rule, const Params& phi, const Params& gradient, double scale) const override {
    std::vector<Tensor> out;
    for (size_t i = 0; i < phi.size(); ++i) out.push_back(phi[i] - scale * rule[i] * gradient[i]);
    return phi.with(std::move(out));
  }
  Cotangents pullback(const Params& rule, const Params&, const Params& gradient, double scale,
                      const Params& c) const override {
    std::vector<Tensor> to_rule, to_gradient;
    for (size_t i = 0; i < c.size(); ++i) {
      to_rule.push_back(-scale * gradient[i] * c[i]);
      to_gradient.push_back(-scale * rule[i] * c[i]);
    }
    return {rule.with(std::move(to_rule)).sum_over_tasks(), c, c.with(std::move(to_gradient))};
  }
  Params pushforward(const Params& rule, const Params&, const Params& gradient, double scale,
                     const Tangents& d) const override {
    std::vector<Tensor> out;
    for (size_t i = 0; i < gradient.size(); ++i) {
      out.push_back(d.phi[i] - scale * (rule[i] * d.gradient[i] + d.rule[i] * gradient[i]));
    }
    return gradient.with(std::move(out));
  }

 private:
  double initial_;
};

}  // namespace

Params UpdateRule::meta_parameters(const Params&) const { return {}; }

UpdateRule::Cotangents UpdateRule::pullback(const Params& rule, const Params& phi, const Params& gradient,
                                            double scale, const Params& cotangent) const {
  const at::AutoGradMode with_graph(true);
  const Params r = rule.as_leaves(), p = phi.as_leaves(), g = gradient.as_leaves();
  const auto leaves = concatenated(r, p, g);
  const auto cotangents = zeros_where_undefined(
      grad(update(r, p, g, scale).tensors(), leaves, cotangent.tensors(), /*retain_graph=*/false,
           /*create_graph=*/false, /*allow_unused=*/true),
      leaves);
  const auto part = [&](size_t from, size_t count) {
    const auto begin = cotangents.begin() + static_cast<std::ptrdiff_t>(from);
    return std::vector<Tensor>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  return {rule.with(part(0, rule.size())), phi.with(part(rule.size(), phi.size())),
          gradient.with(part(rule.size() + phi.size(), gradient.size()))};
}

// J d through the pullback, which is linear in its cotangent c: J d = d/dc <J^T c, d>.
Params UpdateRule::pushforward(const Params& rule, const Params& phi, const Params& gradient, double scale,
                               const Tangents& direction) const {
  const at::AutoGradMode with_graph(true);
  const Params r = rule.as_leaves(), p = phi.as_leaves(), g = gradient.as_leaves();
  const auto leaves = concatenated(r, p, g);
  const auto directions = concatenated(direction.rule, direction.phi, direction.gradient);
  const auto next = update(r, p, g, scale);
  const auto c = next.zeros_like().as_leaves();
  const auto pulled = grad(next.tensors(), leaves, c.tensors(), /*retain_graph=*/true, /*create_graph=*/true,
                           /*allow_unused=*/true);
  Tensor inner = torch::zeros({}, next[0].options());
  for (size_t i = 0; i < pulled.size(); ++i) {
    if (pulled[i].defined()) inner = inner + (pulled[i] * directions[i]).sum();
  }
  return next.with(grad({inner}, c.tensors())).detached();
}

std::vector<std::string> update_rule_names() { return {"fixed", "per_parameter"}; }

std::unique_ptr<UpdateRule> make_update_rule(const std::string& name, double step_size) {
  require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
  if (name == "fixed") return std::make_unique<FixedStep>(step_size);
  if (name == "per_parameter") return std::make_unique<PerParameterStep>(step_size);
  throw UsageError(unknown_name("inner.step_sizes", name, update_rule_names()));
}

}  // namespace innerloop
