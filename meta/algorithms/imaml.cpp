#include "meta/algorithms/imaml.h"

#include "base/error.h"
#include "base/row.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

const Keys<ImamlConfig>& imaml_keys() {
  using C = ImamlConfig;
  constexpr keys::Interval kWeight{0, 1e6, true, false, "a number above 0 and at most 1000000"};
  constexpr keys::Interval kDamping{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<C> list{
      keys::number("lambda", &C::lambda, kWeight, "weight of |phi - theta|^2 / 2 in the inner problem"),
      keys::spelled("proximal", &C::after_steps, {{"every_step", false}, {"after_steps", true}},
                    "when the inner steps see that weight"),
      keys::truth("regularise_tests", &C::regularise_tests, "held-out tasks adapt with lambda too"),
      keys::whole("cg_iterations", &C::cg_iterations, 0, 1'000,
                  "conjugate-gradient steps of the inverse, 0 = first order"),
      keys::number("cg_damping", &C::cg_damping, kDamping, "added to the identity of the inverted matrix"),
      keys::number("lambda_damping", &C::lambda_damping, kDamping,
                   "added to lambda where it divides the Hessian")};
  return list;
}

// phi - alpha (g + lambda (phi - theta)), or the two terms one after another.
class ProximalStep : public UpdateRule {
 public:
  ProximalStep(double step_size, int64_t steps, const ImamlConfig& config)
      : alpha_(step_size), steps_(steps), config_(config) {
    require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
  }

  double step_size() const override { return alpha_; }

  Params initial_state(const Params&, const Params& phi) const override { return phi; }

  Out update(const In& in) const override {
    const double rate = in.scale * alpha_;
    const Params stepped = in.phi - rate * in.gradient;
    const bool last = in.step + 1 == steps_, held_out = !in.now.training;
    if ((held_out && !config_.regularise_tests) || (config_.after_steps && !last)) return {stepped, in.state};
    const Params& from = config_.after_steps ? stepped : in.phi;
    return {stepped - rate * config_.lambda * (from - in.state), in.state};
  }

 private:
  double alpha_;
  int64_t steps_;
  ImamlConfig config_;
};

Tensor as_rows(const Params& params) {  // [T, numbers]
  std::vector<Tensor> parts;
  for (const auto& entry : params) parts.push_back(entry.value.flatten(1));
  return torch::cat(parts, 1);
}

Params from_rows(const Tensor& rows, const Params& like) {
  int64_t offset = 0;
  return like.map([&](const Tensor& value) {
    const int64_t count = value.numel() / value.size(0);
    const Tensor part = rows.narrow(1, offset, count).reshape(value.sizes());
    offset += count;
    return part;
  });
}

// x [T, numbers] with A x = b for every task, at most `iterations` steps, and none where |r|^2 < 1e-10. `a`:
// A x.
template <class Product>
Tensor solved_by_rows(const Product& a, const Tensor& b, int64_t iterations) {
  const auto inner = [](const Tensor& x, const Tensor& y) {
    return (x.to(torch::kFloat64) * y.to(torch::kFloat64)).sum(1, /*keepdim=*/true);
  };
  Tensor x = torch::zeros_like(b), residual = b, p = b, squared = inner(residual, residual);
  for (int64_t i = 0; i < iterations; ++i) {
    const Tensor going = squared.ge(1e-10).to(torch::kFloat64);
    if (going.sum().item<double>() == 0) break;
    const Tensor ap = a(p);
    const Tensor length = going * squared / (inner(p, ap) + (1 - going));
    const Tensor step = length.to(b.scalar_type());
    x = x + step * p;
    residual = residual - step * ap;
    const Tensor next = inner(residual, residual);
    p = residual + (going * next / (squared + (1 - going))).to(b.scalar_type()) * p;
    squared = next;
  }
  return x;
}

class Imaml : public GradientMethod {
 public:
  Imaml(const ImamlConfig& config, const MethodContext& context)
      : GradientMethod({.rule = proximal_step(context.inner.step_size, context.inner.steps, config)},
                       context),
        config_(config),
        steps_(context.inner.steps) {}

  Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
               bool with_output) const override {
    Adaptation adaptation = inner().start(meta, tasks.size(), now, Keep::kLast);
    for (int64_t k = 0; k < steps_; ++k) inner().advance(adaptation, tasks);
    const auto found = implicit_gradient(tasks, adaptation.adapted(), steps_, config_);
    Outcome out{found.loss, found.gradient.sum_over_tasks()};
    if (with_output) out.output = tasks.query_output(adaptation.adapted());
    out.statistics = tasks.statistics(adaptation.adapted());
    return out;
  }

 private:
  ImamlConfig config_;
  int64_t steps_;
};

}  // namespace

std::shared_ptr<const UpdateRule> proximal_step(double step_size, int64_t steps, const ImamlConfig& config) {
  return std::make_shared<ProximalStep>(step_size, steps, config);
}

ImplicitGradient implicit_gradient(const Task& task, const Params& phi, int64_t step,
                                   const ImamlConfig& config) {
  const torch::NoGradGuard no_graph;
  const auto query = task.loss_at(Part::kQuery, phi, step);
  if (config.cg_iterations == 0) return {query->loss(), query->gradient()};
  const auto support = task.loss_at(Part::kSupport, phi, step);
  const double identity = 1 + config.cg_damping, share = 1 / (config.lambda + config.lambda_damping);
  const auto product = [&](const Tensor& x) {
    return identity * x + share * as_rows(support->hessian_product(from_rows(x, phi)));
  };
  const Tensor solution = solved_by_rows(product, as_rows(query->gradient()), config.cg_iterations);
  return {query->loss(), from_rows(solution, phi)};
}

Algorithm imaml() {
  return {.name = "imaml",
          .paper = "Rajeswaran et al. 2019, Alg. 1 and 2",
          .summary = "the meta-gradient of a minimum near the initialisation, by conjugate gradients",
          .prescribes = {{"inner.adapt", "all"}},
          .keys = imaml_keys().list(),
          .exact = false,
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = imaml_keys().read(own, "algorithm imaml", "imaml");
            require_usage(
                context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: they stand for the inner problem's minimum");
            require_usage(context.inner.adapt == "all", "inner.adapt: ", context.inner.adapt,
                          " found, expected all: the implicit derivative is that of all parameters");
            return std::make_unique<Imaml>(config, context);
          }};
}

}  // namespace innerloop
