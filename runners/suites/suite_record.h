// What stands on the disk of a suite:
//   DIR/suite.lock           held while files of all parts are written; the first file there: it makes DIR a
//   suite's DIR/lock, lock-I-of-N    held while a suite, or a part of it, works there DIR/suite.ini the file
//   that it was last started with DIR/NAME-seedN/          the run's directory
//   (runners/experiment/run_directory.h), and in it
//     suite.json             what a suite knows of it: {version, seconds, done}
//   DIR/logs/NAME-seedN.log  commands and all they printed
//   DIR/budgets/NAME.json    of a budget in minutes: {iterations, cpu_seconds}, as measured
//   DIR/suite.csv, suite.json, and of a search ranking.csv and best-NAME.ini (runners/suites/suite_summary.h)
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "runners/suites/suite_plan.h"

namespace innerloop {

struct SuiteFolder {
  std::filesystem::path root;

  std::filesystem::path run(const SuiteRun& run) const { return root / run.id; }
  std::filesystem::path log(const std::string& id) const { return root / "logs" / (id + ".log"); }
  std::filesystem::path budget(const std::string& name) const { return root / "budgets" / (name + ".json"); }
  std::filesystem::path mark() const { return root / "suite.lock"; }
  std::filesystem::path source() const { return root / "suite.ini"; }
};

struct RunRecord {
  std::string version;  // of the program that worked on it last
  double seconds = 0;   // that it took so far; of a suite that was killed (kill -9) they are missing
  bool done = false;
};

// What DIR/NAME-seedN/suite.json says; nothing if it is not there.
std::optional<RunRecord> read_run_record(const std::filesystem::path& folder);
void write_run_record(const std::filesystem::path& folder, const RunRecord& record);

// How what is there differs from the run that is asked for, of the keys that can change a result (not
// threads, memory, checkpoint.*, video.* and progress.tensorboard): "inner.steps is 1 there, 5 in the suite".
// Nothing if it does not, or if there is no config.ini that can be read.
std::optional<std::string> difference_on_disk(const SuiteRun& run, const std::filesystem::path& folder);

// The result of a run that is done: of its evaluation on test tasks, or in a search on validation tasks.
struct RunResult {
  std::string metric;  // "accuracy", "mse", "return"; of online learning "mse of ftml"
  int64_t step = 0;    // gradient steps before it was measured
  double value = 0;
  std::optional<double> ci95;  // half-width over tasks (online: over rounds)
  int64_t tasks = 0;
  int64_t iterations = 0;  // meta-iterations behind it; of a search those at the best validation

  bool higher_is_better() const { return metric.rfind("mse", 0) != 0; }
};

// Error if the file that holds it is missing or damaged.
RunResult read_run_result(const SuiteRun& run, const std::filesystem::path& folder, bool search);

// While it lives, no other part of the suite writes the files that they share: suite.*, ranking.csv, best-*.
class SuiteWriting {
 public:
  explicit SuiteWriting(const SuiteFolder& folder);
  ~SuiteWriting();
  SuiteWriting(const SuiteWriting&) = delete;
  SuiteWriting& operator=(const SuiteWriting&) = delete;

 private:
  int descriptor_;
};

// Another process trains in the folder: its lock is held.
bool run_in_use(const std::filesystem::path& folder);

}  // namespace innerloop
