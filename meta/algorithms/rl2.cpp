#include "meta/algorithms/rl2.h"

#include "meta/policy/trial_learner.h"

namespace innerloop {
namespace {

struct Rl2Config {
  int64_t episodes = 2;
  double clip_ratio = 0.2;
  int64_t minibatches = 1;
  double entropy_weight = 0;
  double gradient_norm = 0;
};

const Keys<Rl2Config>& rl2_keys() {
  static constexpr int64_t kMostEpisodes = 1000, kMostMinibatches = 1'000'000;
  static constexpr keys::Interval kWeight{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<Rl2Config> list{
      keys::whole("episodes", &Rl2Config::episodes, 1, kMostEpisodes,
                  "of a trial in training, over which the policy remembers"),
      keys::number("clip_ratio", &Rl2Config::clip_ratio, keys::kBetweenZeroAndOne,
                   "how far the probability ratio counts, either way"),
      keys::whole("minibatches", &Rl2Config::minibatches, 1, kMostMinibatches,
                  "of whole trials, a step of the meta-optimizer each, in each of meta.epochs"),
      keys::number("entropy_weight", &Rl2Config::entropy_weight, kWeight, "weight of the policy's entropy"),
      keys::number("gradient_norm", &Rl2Config::gradient_norm, kWeight,
                   "longer gradients are scaled down to this length, 0 = none")};
  return list;
}

}  // namespace

Algorithm rl2() {
  return {.name = "rl2",
          .paper = "Duan et al. 2016, section 2; Wang et al. 2016",
          .summary = "a recurrent policy that remembers over the episodes of a trial, trained by PPO",
          .prescribes = {{"inner.steps", "0"},
                         {"meta.optimizer", "adam"},
                         {"evaluation.first_step_scale", "1"},  // no step has a size
                         {"evaluation.later_step_scale", "1"}},
          .keys = rl2_keys().list(),
          .step = "episode",
          .policy_learner = [](const Texts& own, const PolicyMetaConfig& config,
                               ThreadPool& pool) -> std::unique_ptr<PolicyLearner> {
            const auto c = rl2_keys().read(own, "algorithm rl2", "rl2");
            const TrialConfig trials{.episodes = c.episodes,
                                     .ppo = {.clip_ratio = c.clip_ratio, .entropy_weight = c.entropy_weight},
                                     .minibatches = c.minibatches,
                                     .gradient_norm = c.gradient_norm};
            return std::make_unique<TrialLearner>(config, trials, pool);
          }};
}

}  // namespace innerloop
