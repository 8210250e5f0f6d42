#include "meta/optimizers/trpo.h"

#include <cmath>

#include "base/error.h"
#include "meta/conjugate_gradient.h"

namespace innerloop {
namespace {

using torch::Tensor;

double inner_product(const Tensor& a, const Tensor& b) {
  return (a.to(torch::kFloat64) * b.to(torch::kFloat64)).sum().item<double>();
}

}  // namespace

Trpo::Trpo(const MetaOptimizerConfig& config) : config_(config) {
  require_usage(config_.max_kl > 0, "meta.max_kl: ", config_.max_kl, " found, expected a positive number");
  require_usage(config_.cg_iterations >= 1, "meta.cg_iterations: ", config_.cg_iterations,
                " found, expected 1 or more");
  require_usage(config_.cg_damping >= 0, "meta.cg_damping: ", config_.cg_damping,
                " found, expected 0 or more");
  require_usage(config_.line_search_steps >= 1, "meta.line_search_steps: ", config_.line_search_steps,
                " found, expected 1 or more");
  require_usage(config_.line_search_ratio > 0 && config_.line_search_ratio < 1,
                "meta.line_search_ratio: ", config_.line_search_ratio,
                " found, expected a number between 0 and 1");
}

MetaStep Trpo::step(Params& meta, MetaProblem& problem, const Moment&) {
  const torch::NoGradGuard no_graph;
  TrustRegionProblem* region = problem.trust_region();
  require_usage(
      region != nullptr,
      "meta.optimizer: trpo needs policies, this is a supervised training; expected adam, sgd or lars");
  const auto before = problem.value(meta);
  require(std::isfinite(before.loss), "trpo: the meta-objective is ", before.loss, " before the step");
  const Tensor gradient = flatten(problem.gradient(meta));
  require(torch::isfinite(gradient).all().item<bool>(), "trpo: the meta-gradient is not finite");

  const auto fisher = [&](const Tensor& v) {
    return flatten(region->fisher_product(unflatten(v, meta))) + config_.cg_damping * v;
  };
  const auto direction = conjugate_gradient(fisher, gradient, config_.cg_iterations);
  double scale = std::sqrt(2 * config_.max_kl / (inner_product(direction.x, direction.product) + 1e-8));
  if (std::isnan(scale)) scale = 1;

  MetaStep report{before.loss, before.loss, before.kl, before.kl, -1, false};
  for (int64_t j = 0; j < config_.line_search_steps; ++j) {
    const double length = scale * std::pow(config_.line_search_ratio, static_cast<double>(j));
    const Params candidate = meta - unflatten(length * direction.x, meta);
    const auto value = problem.value(candidate);
    if (!(value.loss < before.loss && value.kl <= config_.max_kl)) continue;
    if (value.kl >= config_.max_kl) break;
    meta = candidate.cloned();
    return {before.loss, value.loss, before.kl, value.kl, j, true};
  }
  return report;
}

}  // namespace innerloop
