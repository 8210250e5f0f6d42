#include "meta/policy/policy_meta_config.h"

#include "envs/registry.h"
#include "meta/policy/inner_estimator.h"
#include "meta/policy/policy_evaluation.h"

namespace innerloop {
namespace {

constexpr int64_t kMost = 1'000'000, kMostSteps = 10'000;
constexpr keys::Interval kScale{0, 1e6, true, false, "a number above 0 and at most 1000000"};

std::vector<Key> advantage_keys() {
  using C = AdvantageConfig;
  return {keys::number("discount", &C::discount, keys::kAboveZeroToOne, "gamma"),
          keys::number("gae_lambda", &C::gae_lambda, keys::kZeroToOne,
                       "lambda of generalised advantage estimation"),
          keys::truth("standardize", &C::standardize,
                      "shift and scale advantages to mean 0, deviation 1 per task")};
}

}  // namespace

std::vector<Key> policy_meta_keys() {
  using C = PolicyMetaConfig;
  std::vector<Key> all;
  const auto add = [&](std::vector<Key> keys) { all.insert(all.end(), keys.begin(), keys.end()); };
  add(keys::within("environment.", &C::environment, environment_keys()));
  add(keys::within("policy.", &C::policy, policy_keys()));
  add(keys::within("sampler.", &C::sampler,
                   {keys::whole("trajectories", &SamplerConfig::trajectories, 1, kMost,
                                "trajectories per task and inner step"),
                    keys::truth("balanced_tasks", &SamplerConfig::balanced_tasks,
                                "finitely many tasks: each equally often in every meta-batch")}));
  add(keys::within("advantage.", &C::advantage, advantage_keys()));
  add({keys::choice("inner.estimator", &C::estimator, names_of(kInnerEstimators),
                    "policy-gradient loss of the inner steps")});
  return all;
}

std::vector<Key> policy_evaluation_keys() {
  using C = PolicyEvaluationConfig;
  std::vector<Key> all{
      keys::whole("tasks", &C::tasks, 1, kMost, "held-out tasks"),
      keys::whole("steps", &C::steps, 0, kMostSteps, "gradient steps on each"),
      keys::whole("trajectories", &C::trajectories, 1, kMost, "trajectories per task and step"),
      keys::number("first_step_scale", &C::first_step_scale, kScale, "times inner.step_size: the first step"),
      keys::number("later_step_scale", &C::later_step_scale, kScale, "times inner.step_size: later steps"),
      keys::seed("seed", &C::seed, "of the held-out tasks")};
  for (auto& key : all) key = keys::free(std::move(key));
  return all;
}

}  // namespace innerloop
