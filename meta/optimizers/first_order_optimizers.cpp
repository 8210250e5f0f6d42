#include "meta/optimizers/first_order_optimizers.h"

#include <Eigen/Core>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/optimizers/schedule.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

const MetaOptimizerConfig& checked(const MetaOptimizerConfig& config) {
  require_usage(config.clip >= 0, "meta.clip: ", config.clip, " found, expected 0 (none) or more");
  require_usage(config.step_size > 0, "meta.step_size: ", config.step_size,
                " found, expected a positive number");
  require_usage(config.schedule_iterations >= 1 && config.schedule_stage >= 1,
                "meta.schedule_iterations and meta.schedule_stage: ", config.schedule_iterations, " and ",
                config.schedule_stage, " found, expected at least 1 of each");
  scheduled_step_size(config, 0);
  return config;
}

// Replaces `meta` by next(gradient) and reports the objective on both sides.
template <class Next>
MetaStep descend(Params& meta, MetaProblem& problem, double clip, const Next& next) {
  const torch::NoGradGuard no_graph;
  const auto before = problem.value(meta);
  require(std::isfinite(before.loss), "the meta-objective is ", before.loss, " before the step");
  const Params gradient = problem.gradient(meta);
  require(all_finite(gradient), "the meta-gradient is not finite");
  const Params cut =
      clip > 0 ? gradient.map([clip](const auto& g) { return g.clamp(-clip, clip); }) : gradient;
  meta = next(cut);
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const auto after = problem.value_after(meta).value_or(MetaProblem::Value{kUnknown, kUnknown});
  return {before.loss, after.loss, before.kl, after.kl, 0, true};
}

Params prefixed(const std::string& prefix, const Params& params) {
  std::vector<Params::Entry> entries;
  for (const auto& entry : params) entries.push_back({prefix + entry.name, entry.value});
  return Params(std::move(entries));
}

}  // namespace

Sgd::Sgd(const MetaOptimizerConfig& config) : config_(checked(config)) {}

MetaStep Sgd::step(Params& meta, MetaProblem& problem, const Moment& now) {
  const double beta = scheduled_step_size(config_, now.iteration);
  return descend(meta, problem, config_.clip, [&](const Params& gradient) { return meta - beta * gradient; });
}

Adam::Adam(const MetaOptimizerConfig& config, const Params& meta)
    : config_(checked(config)), m_(meta.zeros_like()), v_(meta.zeros_like()) {}

MetaStep Adam::step(Params& meta, MetaProblem& problem, const Moment& now) {
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  const double beta = scheduled_step_size(config_, now.iteration);
  return descend(meta, problem, config_.clip, [&](const Params& gradient) {
    ++t_;
    const auto steps = static_cast<double>(t_);
    const double m_scale = 1 / (1 - std::pow(kBeta1, steps)), v_scale = 1 / (1 - std::pow(kBeta2, steps));
    std::vector<torch::Tensor> next, m_next, v_next;  // whoever holds the old ones keeps them as they are
    for (size_t i = 0; i < meta.size(); ++i) {
      const auto g = copied(gradient[i]), theta = copied(meta[i]), m = copied(m_[i]), v = copied(v_[i]);
      const bool same = g.scalar_type() == theta.scalar_type() && g.sizes() == theta.sizes();
      const bool done = same && with_type(g, [&]<class T>(const T*) {
                          using Array = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
                          const auto array = [&](const torch::Tensor& t) {
                            return Array(static_cast<T*>(t.data_ptr()), t.numel());
                          };
                          const Array in = array(g);
                          Array at = array(theta), first = array(m), second = array(v);
                          first = static_cast<T>(kBeta1) * first + static_cast<T>(1 - kBeta1) * in;
                          second = static_cast<T>(kBeta2) * second + static_cast<T>(1 - kBeta2) * in.square();
                          at -= static_cast<T>(beta * m_scale) * first /
                                ((static_cast<T>(v_scale) * second).sqrt() + static_cast<T>(kEpsilon));
                        });
      require(done, "adam: '", meta.name(i), "' has a gradient of ", g.scalar_type(), g.sizes(),
              ", expected ", theta.scalar_type(), theta.sizes(), ", Float or Double");
      next.push_back(theta);
      m_next.push_back(m);
      v_next.push_back(v);
    }
    m_ = m_.with(std::move(m_next));
    v_ = v_.with(std::move(v_next));
    return meta.with(std::move(next));
  });
}

Params Adam::state() const {
  const Params steps({{"adam.steps", torch::full({1, 1}, static_cast<double>(t_), torch::kFloat64)}});
  return steps.joined(prefixed("adam.m.", m_)).joined(prefixed("adam.v.", v_));
}

void Adam::restore(const Params& state) {
  t_ = state.at("adam.steps").item<int64_t>();
  const auto part = [&](const std::string& prefix, const Params& like) {
    std::vector<torch::Tensor> values;
    for (const auto& entry : like) {
      const auto& value = state.at(prefix + entry.name);
      require(value.sizes() == entry.value.sizes(), "adam state: '", prefix + entry.name, "' has shape ",
              value.sizes(), ", expected ", entry.value.sizes());
      values.push_back(value.clone());
    }
    return like.with(std::move(values));
  };
  m_ = part("adam.m.", m_);
  v_ = part("adam.v.", v_);
}

}  // namespace innerloop
