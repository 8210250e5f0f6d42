#include "meta/update_rule.h"

#include <limits>

#include "base/error.h"
#include "networks/tensors/derivatives.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

// The arguments of a rule as one list (rule, phi, gradient, state, loss), and the outcome as another (phi,
// state).
struct Flat {
  explicit Flat(const UpdateRule& of, const UpdateRule::In& at) : rule(of), in(at) {}

  Tensors arguments() const {
    Tensors all = in.rule.tensors();
    for (const auto* part : {&in.phi, &in.gradient, &in.state}) all = joined(all, part->tensors());
    all.push_back(in.loss);
    return all;
  }

  Tensors operator()(const Tensors& all) const {
    const Params r = part(in.rule, all, 0), p = part(in.phi, all, phi_at()),
                 g = part(in.gradient, all, gradient_at()), s = part(in.state, all, state_at());
    const auto out = rule.update({r, p, g, s, all.back(), in.step, in.scale, in.now});
    return joined(out.phi.tensors(), out.state.tensors());
  }

  UpdateRule::Out outcome(const Tensors& flat) const {
    return {part(in.phi, flat, 0), part(in.state, flat, in.phi.size())};
  }

  static Params part(const Params& like, const Tensors& all, size_t from) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
    return like.with({begin, begin + static_cast<std::ptrdiff_t>(like.size())});
  }
  size_t phi_at() const { return in.rule.size(); }
  size_t gradient_at() const { return phi_at() + in.phi.size(); }
  size_t state_at() const { return gradient_at() + in.gradient.size(); }

  const UpdateRule& rule;
  const UpdateRule::In& in;
};

}  // namespace

Params UpdateRule::meta_parameters(const Params&, int64_t, Stream&) const { return {}; }

Params UpdateRule::initial_state(const Params&, const Params&) const { return {}; }

double UpdateRule::step_size() const { return std::numeric_limits<double>::quiet_NaN(); }

UpdateRule::Cotangents UpdateRule::pullback(const In& in, const Out& out) const {
  const Flat flat(*this, in);
  const Params state = out.state.empty() ? in.state.zeros_like() : out.state;
  const auto found = vjp([&](const Tensors& all) { return flat(all); }, flat.arguments(),
                         joined(out.phi.tensors(), state.tensors()));
  return {Flat::part(in.rule, found, 0), Flat::part(in.phi, found, flat.phi_at()),
          Flat::part(in.gradient, found, flat.gradient_at()), Flat::part(in.state, found, flat.state_at()),
          found.back()};
}

UpdateRule::Out UpdateRule::pushforward(const In& in, const Tangents& direction) const {
  const Flat flat(*this, in);
  Tensors along = direction.rule.tensors();
  for (const auto* part : {&direction.phi, &direction.gradient, &direction.state}) {
    along = joined(along, part->tensors());
  }
  along.push_back(direction.loss.defined() ? direction.loss : torch::zeros_like(in.loss));
  return flat.outcome(jvp([&](const Tensors& all) { return flat(all); }, flat.arguments(), along));
}

FixedStep::FixedStep(double step_size) : alpha_(step_size) {
  require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
}

UpdateRule::Out FixedStep::update(const In& in) const {
  return {combination(1, in.phi, -alpha_ * in.scale, in.gradient), {}};
}

UpdateRule::Cotangents FixedStep::pullback(const In& in, const Out& out) const {
  return {{}, out.phi, -alpha_ * in.scale * out.phi, {}, {}};
}

UpdateRule::Out FixedStep::pushforward(const In& in, const Tangents& direction) const {
  return {combination(1, direction.phi, -alpha_ * in.scale, direction.gradient), {}};
}

}  // namespace innerloop
