#include "meta/optimizers/schedule.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace innerloop {

const std::vector<std::string>& schedule_names() {
  static const std::vector<std::string> names{"constant", "linear", "cosine", "exponential"};
  return names;
}

namespace {

double step_size_of_schedule(const MetaOptimizerConfig& config, int64_t iteration) {
  if (config.schedule == "constant") return config.step_size;
  if (config.schedule == "exponential") {
    const auto stages = static_cast<double>(iteration / config.schedule_stage);
    return config.step_size * std::pow(config.schedule_decay, stages);
  }
  const int64_t stage = iteration / config.schedule_stage * config.schedule_stage;
  const double e = static_cast<double>(std::min(stage, config.schedule_iterations)) /
                   static_cast<double>(config.schedule_iterations);
  const double range = config.step_size - config.final_step_size;
  if (config.schedule == "linear") return config.final_step_size + range * (1 - e);
  if (config.schedule == "cosine") return config.final_step_size + range * (1 + std::cos(M_PI * e)) / 2;
  throw UsageError(unknown_name("meta.schedule", config.schedule, schedule_names()));
}

}  // namespace

double scheduled_step_size(const MetaOptimizerConfig& config, int64_t iteration) {
  const double beta = step_size_of_schedule(config, iteration);
  if (iteration >= config.warm_up) return beta;
  return beta * (static_cast<double>(iteration + 1) / static_cast<double>(config.warm_up));
}

}  // namespace innerloop
