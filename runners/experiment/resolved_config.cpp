#include "runners/experiment/resolved_config.h"

#include "envs/registry.h"

namespace innerloop {

ExperimentConfig with_horizon(ExperimentConfig config) {
  auto& environment = config.learner.environment;
  if (config.side == Side::kPolicy && environment.horizon == 0)
    environment.horizon = make_environment(environment)->spec().horizon;
  return config;
}

}  // namespace innerloop
