#include "meta/optimizers/descent.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/optimizers/schedule.h"

namespace innerloop {

const MetaOptimizerConfig& checked_descent(const MetaOptimizerConfig& config) {
  require_usage(config.clip >= 0, "meta.clip: ", config.clip, " found, expected 0 (none) or more");
  require_usage(config.step_size > 0, "meta.step_size: ", config.step_size,
                " found, expected a positive number");
  require_usage(config.schedule_iterations >= 1 && config.schedule_stage >= 1,
                "meta.schedule_iterations and meta.schedule_stage: ", config.schedule_iterations, " and ",
                config.schedule_stage, " found, expected at least 1 of each");
  require_usage(config.warm_up >= 0, "meta.warm_up: ", config.warm_up, " found, expected 0 (none) or more");
  scheduled_step_size(config, 0);
  return config;
}

MetaStep descend(Params& meta, MetaProblem& problem, double clip,
                 const std::function<Params(const Params& gradient)>& next) {
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

Params restored_part(const Params& state, const std::string& optimizer, const std::string& prefix,
                     const Params& like) {
  std::vector<torch::Tensor> values;
  for (const auto& entry : like) {
    const auto& value = state.at(prefix + entry.name);
    require(value.sizes() == entry.value.sizes(), optimizer, " state: '", prefix + entry.name, "' has shape ",
            value.sizes(), ", expected ", entry.value.sizes());
    values.push_back(value.clone());
  }
  return like.with(std::move(values));
}

}  // namespace innerloop
