// Meta-reinforcement learning as a training job. Columns of progress.csv, with k = 0..K the inner step:
//   iteration               1, 2, ...: the row describes the step that ended in iteration_N.safetensors
//   environment_steps       sampled since the start of the training
//   step_k_return_mean/std  undiscounted return over all trajectories of all tasks after k inner steps
//   step_k_success_rate     only where the environment defines success
//   loss_before, loss_after, kl_before, kl_after   of the meta-objective at the old and the new
//                           meta-parameters
//   line_search             index of the accepted step length, -1 if none; accepted: 1 or 0
//   step_k_explained_variance   of the baseline, mean over tasks
//   entropy                 of the adapted policies, nats
//   sampling_seconds, advantage_seconds, update_seconds
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "meta/algorithms/registry.h"
#include "meta/policy/policy_learner.h"
#include "runners/experiment/config.h"
#include "runners/experiment/training_films.h"
#include "runners/experiment/training_job.h"

namespace innerloop {

class PolicyJob : public TrainingJob {
 public:
  PolicyJob(const ExperimentConfig& config, ThreadPool& pool)
      : learner_(make_policy_learner(config.learner, find_algorithm(config.algorithm()), pool)),
        films_(config) {}

  std::string kind() const override { return "policy"; }
  std::string summary() const override;
  void iterate(int64_t iteration) override;
  void begin(const RunDirectory& directory, int64_t done) override;
  ProgressNews after(int64_t done) override;
  std::vector<ProgressColumn> columns() const override;
  ProgressRow row() override;
  std::string describe() const override;
  // Episodes that their simulation failed; once, that the outer step has been rejected several times in a
  // row.
  std::vector<std::string> notes() const override;
  void save(Checkpoint& checkpoint) const override;
  void restore(const Checkpoint& checkpoint) override;
  const Params& meta_parameters() const override { return learner_->meta_parameters(); }
  void start_from(const Params& meta) override { learner_->use(meta, learner_->method_state()); }
  std::string amount() const override;
  std::string next_commands(const std::string& run) const override;

 private:
  std::unique_ptr<PolicyLearner> learner_;
  TrainingFilms films_;
  std::optional<RunDirectory> directory_;
  PolicyReport report_;
  int64_t environment_steps_ = 0;
  int64_t rejected_ = 0;  // outer steps in a row until now, since this process began
};

}  // namespace innerloop
