#include "runners/experiment/resolved_config.h"

#include "base/error.h"
#include "envs/registry.h"

namespace innerloop {

ExperimentConfig with_horizon(ExperimentConfig config) {
  auto& environment = config.learner.environment;
  if (config.side == Side::kPolicy && environment.horizon == 0)
    environment.horizon = make_environment(environment)->spec().horizon;
  return config;
}

ExperimentConfig without_seed_of_start(ExperimentConfig config) {
  config = with_horizon(std::move(config));
  auto& start = config.meta().start;
  const std::string end = concat("-seed", config.meta().seed);
  if (start.ends_with(end)) start.resize(start.size() - end.size());
  return config;
}

}  // namespace innerloop
