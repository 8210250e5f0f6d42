// Evolution strategies over the adaptation (Song, Gao, Yang, Choromanski, Pacchiano and Tang, "ES-MAML:
// Simple Hessian-Free Meta Learning", ICLR 2020, Alg. 3): the meta-parameters climb
//
//   J(theta) = E_{T, e} F_T(theta + sigma e),  e ~ N(0, I),   F_T(theta) = return on T of U(theta, T)
//
// by differences of returns alone. Of a meta-iteration: for each of n = tasks x pairs directions e_j, on its
// task,
//
//   theta <- theta + beta / (2 n sigma) sum_j (w(F(theta + sigma e_j)) - w(F(theta - sigma e_j))) e_j
//
// with the meta-optimizer's step on minus that sum; w are the returns as `shaping` says, over all 2 n of
// them. Both signs of a direction see the same task and the same random numbers.
//
// U, the adaptation, takes inner.steps steps from theta to phi_K. Each reads as many trajectories in all as
// one of policy-gradient MAML, and moves the entries that inner.adapt names:
//   gradient       phi <- phi - alpha grad L(phi), the policy gradient of inner.estimator
//   evolution      phi <- phi + alpha / (2 q s) sum_i (w(f(phi + s h_i)) - w(f(phi - s h_i))) h_i over q
//                  directions h_i ~ N(0, I): the paper's ES gradient adaptation
//   hill_climbing  phi <- phi + alpha h where f(phi + alpha h) > f(phi), the same random numbers for both:
//                  the paper's operator, which keeps f(phi) instead
// with f the mean undiscounted return of the trajectories sampled. alpha is inner.step_size, times the
// evaluation's scale of the step.
//
// F is the mean undiscounted return of sampler.trajectories trajectories; of an environment with a reward for
// training (envs/training_reward.h), F is of that one, f of the task's own.
//
// No derivative is taken through the adaptation, and none at all but for `gradient`: no graph. The directions
// are distributed over the Executor, threads and processes; each is drawn from its own stream wherever it is
// needed, so that only their weighted sum crosses processes: same bits for any number of them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "meta/policy/policy_meta_learner.h"

namespace innerloop {

struct EvolutionConfig {
  enum class InnerStep { kGradient, kEvolution, kHillClimbing };
  enum class Shaping { kDeviation, kRanks, kNone };

  double sigma = 0.1;  // of the meta-parameters' perturbations
  int64_t pairs = 1;   // directions per task, each both ways
  InnerStep adaptation = InnerStep::kGradient;
  Shaping shaping = Shaping::kDeviation;
  double adaptation_sigma = 0.1;  // evolution: s
  int64_t adaptation_pairs = 5;   // evolution: q
};

// Weights of returns: divided by their deviation; ranks from -1/2 to 1/2, equal returns sharing theirs; or
// the returns. (Differences of two weights are what counts.) All 0 where returns do not vary, but for kNone.
std::vector<double> shaped_returns(const std::vector<double>& returns, EvolutionConfig::Shaping shaping);

class EvolutionLearner : public PolicyMetaLearner {
 public:
  // `algorithm`: whose inner loop adapts by `gradient`. UsageError for a meta-optimizer that needs a trust
  // region or takes several epochs, and for trajectories that cannot be shared out.
  EvolutionLearner(const PolicyMetaConfig& config, const EvolutionConfig& evolution,
                   const Algorithm& algorithm, ThreadPool& pool);
  EvolutionLearner(const PolicyMetaConfig& config, const EvolutionConfig& evolution,
                   const Algorithm& algorithm, std::function<std::unique_ptr<Environment>()> make,
                   ThreadPool& pool);

  PolicyReport iterate(int64_t iteration) override;
  PolicyEvaluation evaluate(const PolicyEvaluationConfig& evaluation, bool keep_trajectories = false,
                            const std::function<void(int64_t step)>& progress = {},
                            std::vector<Params>* adapted = nullptr) override;

 private:
  // UsageError unless so many trajectories can be shared out over what an inner step compares.
  void check_trajectories(int64_t trajectories, const char* key) const;
  void check() const;

  EvolutionConfig evolution_;
};

}  // namespace innerloop
