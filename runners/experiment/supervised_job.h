// Supervised meta-learning as a training job. Columns of progress.csv, METRIC being accuracy or mse:
//   iteration      the last of the row's iterations; a row begins after the last multiple of progress.every
//   query_loss     after the inner steps, as reduced; mean over tasks and the row's iterations
//   query_METRIC   after the inner steps; mean over tasks and a tenth of the row's iterations
//   milliseconds   per iteration, mean over those of the row that this process did
//
// With validation.every, the meta-parameters are tried on tasks of the validation split, after as many steps
// as in training: validation.csv gets a row (iteration, METRIC_mean, ci95, best: 1 if the best so far), and
// checkpoints/best.safetensors holds the best ones. With validation.keep = N above 1, each of the N best has
// a file too, best_000500.safetensors by its iteration. Test tasks have no part in it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "meta/supervised/supervised_meta_learner.h"
#include "runners/experiment/config.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/training_job.h"

namespace innerloop {

class SupervisedJob : public TrainingJob {
 public:
  SupervisedJob(const ExperimentConfig& config, ThreadPool& pool);

  std::string kind() const override { return "supervised"; }
  std::string summary() const override;
  std::string data_digest() const override { return learner_.dataset().digest(); }
  void iterate(int64_t iteration) override;
  void begin(const RunDirectory& directory, int64_t done) override;
  ProgressNews after(int64_t done) override;
  bool finished() const override;
  std::vector<ProgressColumn> columns() const override;
  int64_t row_every() const override { return config_.progress_every; }
  ProgressRow row() override;
  std::string describe() const override;
  void save(Checkpoint& checkpoint) const override;
  void restore(const Checkpoint& checkpoint) override;
  const Params& meta_parameters() const override { return learner_.meta_parameters(); }
  void start_from(const Params& meta) override { learner_.use(meta, learner_.method_state()); }
  std::string next_commands(const std::string& run) const override;

  SupervisedMetaLearner& learner() { return learner_; }

 private:
  ProgressNews validate(int64_t done);
  // Takes what was validated among the best, if it is one of them, and drops the one it displaces.
  void keep_best(double metric, int64_t done, const Checkpoint& checkpoint);

  // Sums over the iterations since the last multiple of progress.every.
  struct Window {
    double loss = 0, losses = 0, metric = 0, metrics = 0;
  };
  struct Best {
    double metric = 0;
    int64_t iteration = 0;  // 0: no validation yet
    int64_t since = 0;      // validations without improvement
  };

  ExperimentConfig config_;
  SupervisedMetaLearner learner_;
  bool accuracy_;
  Window window_;
  double milliseconds_ = 0, timed_ = 0;  // of the window, in this process
  double last_loss_ = 0, last_metric_ = 0;
  Best best_;
  std::vector<std::pair<double, int64_t>>
      kept_;  // metric and iteration of the validation.keep best, best first
  std::optional<RunDirectory> directory_;
  std::optional<ProgressTable> validations_;
};

}  // namespace innerloop
