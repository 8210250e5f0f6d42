#include "meta/algorithms/es_maml.h"

#include "base/row.h"
#include "meta/algorithms/maml.h"
#include "meta/policy/evolution_learner.h"

namespace innerloop {
namespace {

const Keys<EvolutionConfig>& es_maml_keys() {
  using C = EvolutionConfig;
  using A = C::InnerStep;
  using S = C::Shaping;
  static constexpr keys::Interval kSigma{0, 1000, true, false, "a number above 0 and at most 1000"};
  static const Keys<C> list{
      keys::number("sigma", &C::sigma, kSigma, "standard deviation of the meta-parameters' perturbations"),
      keys::whole("pairs", &C::pairs, 1, 100'000, "antithetic pairs of perturbations per task"),
      keys::spelled<C, A>(
          "adaptation", &C::adaptation,
          {{"gradient", A::kGradient}, {"evolution", A::kEvolution}, {"hill_climbing", A::kHillClimbing}},
          "what an inner step is"),
      keys::spelled<C, S>("shaping", &C::shaping,
                          {{"deviation", S::kDeviation}, {"ranks", S::kRanks}, {"none", S::kNone}},
                          "of the returns that perturbations are weighted by"),
      keys::number("adaptation_sigma", &C::adaptation_sigma, kSigma,
                   "adaptation = evolution: deviation of an inner step's perturbations"),
      keys::whole("adaptation_pairs", &C::adaptation_pairs, 1, 10'000,
                  "adaptation = evolution: antithetic pairs of an inner step")};
  return list;
}

}  // namespace

Algorithm es_maml() {
  return {.name = "es_maml",
          .paper = "Song et al. 2020, Alg. 3",
          .summary = "evolution strategies over the adaptation of a policy, without derivatives",
          .keys = es_maml_keys().list(),
          .exact = false,
          .policy_learner = [](const Texts& own, const PolicyMetaConfig& config,
                               ThreadPool& pool) -> std::unique_ptr<PolicyLearner> {
            return std::make_unique<EvolutionLearner>(
                config, es_maml_keys().read(own, "algorithm es_maml", "es_maml"), maml(), pool);
          }};
}

}  // namespace innerloop
