#include "meta/optimizers/lars.h"

#include <cmath>

#include "base/error.h"
#include "meta/optimizers/descent.h"
#include "meta/optimizers/schedule.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

double lars_norm(const torch::Tensor& x) {
  return std::sqrt(sum_in_double(x.to(torch::kFloat64).square().contiguous()));
}

}  // namespace

Lars::Lars(const MetaOptimizerConfig& config, const Params& meta)
    : config_(checked_descent(config)), m_(meta.zeros_like()) {
  require_usage(config_.momentum >= 0 && config_.momentum < 1, "meta.momentum: ", config_.momentum,
                " found, expected a number from 0 to below 1");
  require_usage(config_.weight_decay >= 0, "meta.weight_decay: ", config_.weight_decay,
                " found, expected 0 (none) or more");
  require_usage(config_.trust > 0, "meta.trust: ", config_.trust, " found, expected a positive number");
}

MetaStep Lars::step(Params& meta, MetaProblem& problem, const Moment& now) {
  const double beta = scheduled_step_size(config_, now.iteration);
  return descend(meta, problem, config_.clip, [&](const Params& gradient) {
    check_fits(gradient, meta, "lars: the meta-gradient");
    std::vector<torch::Tensor> next, m_next;
    for (size_t i = 0; i < meta.size(); ++i) {
      const bool plain = config_.exclude_vectors && meta[i].dim() <= 2;  // [1, n] and [1]
      const double decay = plain ? 0 : config_.weight_decay;
      const double size = lars_norm(meta[i]), slope = lars_norm(gradient[i]);
      const double ratio =
          plain || size == 0 || slope == 0 ? 1 : config_.trust * size / (slope + decay * size);
      const auto rise = combination(beta * ratio, gradient[i], beta * ratio * decay, meta[i]);
      m_next.push_back(combination(config_.momentum, m_[i], 1, rise));
      next.push_back(combination(1, meta[i], -1, m_next.back()));
    }
    m_ = m_.with(std::move(m_next));
    return meta.with(std::move(next));
  });
}

Params Lars::state() const { return m_.prefixed("lars.m."); }

void Lars::restore(const Params& state) { m_ = restored_part(state, "lars", "lars.m.", m_); }

}  // namespace innerloop
