// Online meta-learning as a training job: an iteration is one batch of data. Every learner makes its updates,
// then is judged on what is held out of the round's task. Columns of progress.csv, METRIC being accuracy or
// mse:
//   iteration       batches that have come, over all rounds
//   round           1, 2, ...
//   samples         of the round's task that have come
//   LEARNER_METRIC  one column a learner
//   milliseconds    that the batch took
//
// A checkpoint is written after every round and at a stop. meta/LEARNER.NAME are the learner's parameters;
// job/LEARNER [1, batches so far] what it was judged at.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "meta/supervised/online_learner.h"
#include "runners/experiment/config.h"
#include "runners/experiment/training_job.h"

namespace innerloop {

class OnlineJob : public TrainingJob {
 public:
  // config.iterations is online.rounds x online.batches. UsageError for what the learners or the stream
  // refuse.
  OnlineJob(const ExperimentConfig& config, ThreadPool& pool);

  // What was found so far.
  struct Results {
    std::vector<std::string> learners;
    std::vector<std::vector<double>> metrics;  // [learner][batch, over all rounds]
  };
  const Results& results() const { return results_; }
  const OnlineStream& stream() const { return stream_; }
  bool classifies() const { return dataset_->spec().classification; }

  std::string kind() const override { return "online"; }
  std::string summary() const override;
  std::string data_digest() const override { return dataset_->digest(); }
  void iterate(int64_t iteration) override;
  std::vector<ProgressColumn> columns() const override;
  ProgressRow row() override;
  std::string describe() const override;
  void save(Checkpoint& checkpoint) const override;
  void restore(const Checkpoint& checkpoint) override;
  const Params& meta_parameters() const override { return learners_.front()->parameters(); }
  void start_from(const Params& meta) override;  // Error: a stream has no warm start
  Unit unit() const override { return {"batch", "batches"}; }
  bool draws_progress() const override { return false; }
  std::string next_commands(const std::string& run) const override;

 private:
  OnlineStream::Now now(int64_t iteration) const;

  ExperimentConfig config_;
  std::unique_ptr<Dataset> dataset_;
  Executor executor_;
  OnlineStream stream_;
  std::vector<std::unique_ptr<OnlineLearner>> learners_;
  Results results_;
  double milliseconds_ = 0;  // of the last batch
};

// An online configuration as a training: its iterations are batches, a checkpoint comes after every round.
// UsageError, naming the installed ones, if it is none.
ExperimentConfig online_training(ExperimentConfig config);

}  // namespace innerloop
