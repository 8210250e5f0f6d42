// What evolution strategies sample with: a population whose members adapt side by side, each to its task from
// parameters of its own (meta/policy/evolution_learner.h has the formulas). Of several processes each holds
// the members of its share (Executor::share).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "meta/policy/evolution_learner.h"
#include "meta/policy/rollouts.h"

namespace innerloop {

// N(0, 1) in every entry of `like` that is among `names`, 0 in the others.
Params random_direction(const StreamKey& key, const Params& like, const std::vector<std::string>& names);

class EvolutionMembers {
 public:
  // Which random numbers: those of a meta-iteration or of an evaluation.
  struct Occasion {
    uint64_t seed = 1;
    int64_t iteration = 0;
    bool evaluation = false;
  };

  // Member m adapts to tasks[m]. All but `tasks` and `occasion` outlive the object; `method` is one whose
  // initialisation is the meta-parameters themselves.
  EvolutionMembers(const EvolutionConfig& evolution, const PolicyMetaConfig& config, const Policy& policy,
                   const GradientMethod& method, Sampler& sampler, const Executor& executor,
                   std::vector<Eigen::VectorXd> tasks, const Occasion& occasion);

  int64_t size() const { return static_cast<int64_t>(tasks_.size()); }

  // Every member of this process' share at parameters(m), [1, ...].
  void start(const std::function<Params(int64_t m)>& parameters);

  // Inner step k, on `trajectories` trajectories for each member in all. What they came to is in outcomes(k).
  void advance(int64_t k, double step_scale, int64_t trajectories);

  // What the members' policies sample after k inner steps; outcomes(k) is theirs.
  Trajectories sample(int64_t k, int64_t trajectories);

  // The mean undiscounted return of every member's trajectories, in every process.
  std::vector<double> returns(const Trajectories& trajectories, RewardKind kind) const;

  // Of the policies that sampled these, nats, mean over steps; also fits a baseline, which explained_variance
  // tells of.
  double entropy(const Trajectories& trajectories);

  // Of all that was sampled at inner step k, by member, in every process.
  const std::vector<TaskOutcome>& outcomes(int64_t k) const { return outcomes_.at(static_cast<size_t>(k)); }
  Params parameters(int64_t m) const;  // what the policy of a member of this process' share reads
  const Rollouts& rollouts() const { return rollouts_; }

 private:
  RecordedChunk at(int64_t m, const Params& parameters) const;
  std::vector<RecordedChunk> moved(const std::vector<Params>& directions, double by) const;
  std::vector<Params> directions(int64_t k, int64_t i) const;  // of inner step k, the i-th
  Trajectories sample(int64_t k, const std::vector<RecordedChunk>& chunks, int64_t trajectories,
                      int64_t comparison);
  std::vector<double> own_returns(const Trajectories& trajectories) const;  // the task's; 0: another process'
  void climb_by_evolution(int64_t k, double step, int64_t trajectories);
  void climb_by_trial(int64_t k, double step, int64_t trajectories);

  const EvolutionConfig& evolution_;
  const PolicyMetaConfig& config_;
  const GradientMethod& method_;
  const Executor& executor_;
  std::vector<Eigen::VectorXd> tasks_;
  Occasion occasion_;
  Share mine_;
  Rollouts rollouts_;
  std::vector<RecordedChunk> chunks_;
  std::vector<std::vector<TaskOutcome>> outcomes_;  // by inner step, then member
};

}  // namespace innerloop
