#include "runners/experiment/random_policy.h"

#include <limits>

#include "envs/registry.h"

namespace innerloop {

double random_return(const EnvironmentConfig& config, const PolicyEvaluation& evaluation, uint64_t seed) {
  constexpr uint64_t kTrajectories = 4;
  constexpr uint32_t kStep = std::numeric_limits<uint32_t>::max();  // no gradient step has these streams
  const auto environment = make_environment(config);
  const auto& spec = environment->spec();
  Eigen::VectorXf observation(spec.observation_size), action(spec.action_entries());
  double sum = 0;
  for (uint64_t t = 0; t < evaluation.tasks.size(); ++t) {
    environment->set_task(evaluation.tasks[t].task);
    for (uint64_t n = 0; n < kTrajectories; ++n) {
      const auto stream = [&](Purpose purpose) {
        return Stream({.seed = seed, .purpose = purpose, .task = t, .trajectory = n, .step = kStep});
      };
      Stream world = stream(Purpose::kEvaluationEnvironment), actor = stream(Purpose::kEvaluationAction);
      environment->reset(world, observation);
      bool over = false;
      for (int64_t s = 0; s < spec.horizon && !over; ++s) {
        for (float& entry : action) {
          entry = spec.action_kind == ActionKind::kDiscrete
                      ? static_cast<float>(actor.below(static_cast<uint64_t>(spec.action_size)))
                      : static_cast<float>(actor.normal());
        }
        const StepResult result = environment->step(action, world, observation);
        sum += result.reward;
        over = result.terminated;
      }
    }
  }
  return sum / static_cast<double>(evaluation.tasks.size() * kTrajectories);
}

}  // namespace innerloop
