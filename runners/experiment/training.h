// One training in a run directory, whatever is trained: the directory and its lock, resuming, signals,
// checkpoints, progress and log. Of several processes rank 0 alone reads and writes the directory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "meta/executor.h"
#include "runners/experiment/config.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/run_progress.h"
#include "runners/experiment/training_job.h"

namespace innerloop {

struct TrainingRequest {
  std::string command;  // "train": by which it is resumed
  ExperimentConfig config;
  RunDirectory directory;
  bool resume = false;
};

struct TrainingOutcome {
  int exit_code = 0;                     // 0, or 128 + the signal that stopped it
  int64_t done = 0;                      // meta-iterations, those before this process included
  std::vector<float> milliseconds = {};  // of each meta-iteration of this process
};

class Training {
 public:
  // Takes the directory and restores the job if there is something to resume. `pool`: that of the job. Error
  // if the directory is in use or holds something else, or if the processes are asked for different
  // trainings.
  Training(const TrainingRequest& request, TrainingJob& job, ThreadPool& pool);

  TrainingOutcome run();

  void note(const std::string& message) const;  // to the terminal and the log

 private:
  void iterate(ProgressDisplay& display);
  void warn(ProgressDisplay& display, const std::string& text);
  void save(bool milestone);
  std::string traffic_text() const;
  void compare_states();
  int stop_signal();  // received by any process, or 0
  bool over() const { return done_ >= config_.iterations || job_.finished(); }
  int stopped(int signal);

  std::string command_;
  ExperimentConfig config_;
  RunDirectory directory_;
  TrainingJob& job_;
  Executor executor_;
  Processes& processes_;
  std::unique_ptr<RunLock> lock_;
  RunProgress progress_;
  RunLog log_;
  int64_t done_ = 0, saved_ = 0, warnings_ = 0, traffic_before_ = 0;
  std::vector<float> milliseconds_;
};

}  // namespace innerloop
