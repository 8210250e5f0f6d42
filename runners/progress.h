// What a run tells while it trains: progress.csv, the terminal, and log.txt.
#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "meta/policy_meta_learner.h"

namespace innerloop {

// progress.csv: a header, then one row per meta-iteration. Columns, with k = 0..K the inner step:
//   iteration               1, 2, ...: the row describes the step to the meta-parameters of iteration_N.ckpt
//   environment_steps       sampled since the start of the training
//   step_k_return_mean/std  undiscounted return over all trajectories of all tasks after k inner steps
//   step_k_success_rate     only where the environment defines success
//   loss_before, loss_after, kl_before, kl_after   of the meta-objective at the old and the new
//   meta-parameters line_search             index of the accepted step length, -1 if none; accepted: 1 or 0
//   step_k_explained_variance   of the baseline, mean over tasks
//   entropy                 of the adapted policies, nats
//   sampling_seconds, advantage_seconds, update_seconds
class ProgressTable {
 public:
  ProgressTable(std::filesystem::path file, int64_t inner_steps, bool defines_success);
  ~ProgressTable();
  ProgressTable(const ProgressTable&) = delete;
  ProgressTable& operator=(const ProgressTable&) = delete;

  // Makes the file hold the header and the rows 1..iteration, whole, and opens it for append(). Returns the
  // number of rows kept: fewer than `iteration` if somebody took rows away. Error if the file's columns are
  // others.
  int64_t open(int64_t iteration);

  void append(int64_t iteration, int64_t environment_steps, const IterationReport& report);
  void sync();  // the rows are on the disk

 private:
  std::filesystem::path file_;
  int64_t inner_steps_;
  bool defines_success_;
  std::string header_;
  std::FILE* out_ = nullptr;
};

// On a terminal one bar, redrawn; otherwise a line at the start, at the end and every few seconds between.
class ProgressDisplay {
 public:
  // Iterations done+1..total are to be shown on `out`.
  ProgressDisplay(std::FILE* out, int64_t done, int64_t total);
  ~ProgressDisplay() { finish(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;
  void update(int64_t iteration, const IterationReport& report);
  void finish();  // leaves the bar's line

 private:
  std::FILE* out_;
  bool terminal_;
  int64_t start_, total_;
  std::chrono::steady_clock::time_point begin_, shown_;
  bool open_line_ = false;
};

std::string format_duration(double seconds);  // "0:42", "1:03:20"

// Appends lines with the time of day (UTC) to log.txt. A log that cannot be written stops nothing.
class RunLog {
 public:
  explicit RunLog(std::filesystem::path file) : file_(std::move(file)) {}
  void write(const std::string& message) const;

 private:
  std::filesystem::path file_;
};

}  // namespace innerloop
