#include "meta/optimizers/first_order_optimizers.h"

#include <Eigen/Core>
#include <cmath>

#include "base/error.h"
#include "meta/optimizers/descent.h"
#include "meta/optimizers/schedule.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {

Sgd::Sgd(const MetaOptimizerConfig& config) : config_(checked_descent(config)) {}

MetaStep Sgd::step(Params& meta, MetaProblem& problem, const Moment& now) {
  const double beta = scheduled_step_size(config_, now.iteration);
  return descend(meta, problem, config_.clip, [&](const Params& gradient) { return meta - beta * gradient; });
}

Adam::Adam(const MetaOptimizerConfig& config, const Params& meta)
    : config_(checked_descent(config)), m_(meta.zeros_like()), v_(meta.zeros_like()) {}

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
  return steps.joined(m_.prefixed("adam.m.")).joined(v_.prefixed("adam.v."));
}

void Adam::restore(const Params& state) {
  t_ = state.at("adam.steps").item<int64_t>();
  m_ = restored_part(state, "adam", "adam.m.", m_);
  v_ = restored_part(state, "adam", "adam.v.", v_);
}

}  // namespace innerloop
