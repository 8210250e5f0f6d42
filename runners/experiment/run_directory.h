// The folder of one training run:
//   config.ini       the effective configuration, every key
//   progress.csv     one row per meta-iteration, or per progress.every of them
//   validation.csv   supervised, if it validates: one row per validation
//   checkpoints/     last.safetensors; best.safetensors if it validates, and best_000100.safetensors, ... of
//                    the validation.keep best if that is above 1; iteration_000100.safetensors, ... if
//                    checkpoint.keep = all (runners/checkpoint.h)
//   tensorboard/     the same rows, validations and stills of films as event files (progress.tensorboard)
//   log.txt          what happened when
//   lock             held (flock) by the process that trains there; its content is that process' id
// Evaluations, pictures and films lie there too, or elsewhere: results().
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "meta/policy/policy_learner.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/config.h"

namespace innerloop {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path root) : root_(std::move(root)), results_(root_) {}
  RunDirectory(std::filesystem::path root, std::filesystem::path results)
      : root_(std::move(root)), results_(std::move(results)) {}

  const std::filesystem::path& root() const { return root_; }
  // Where what is found about the run is written; an installed run is not written to.
  const std::filesystem::path& results() const { return results_; }
  std::filesystem::path config() const { return root_ / "config.ini"; }
  std::filesystem::path progress() const { return root_ / "progress.csv"; }
  std::filesystem::path checkpoints() const { return root_ / "checkpoints"; }
  std::filesystem::path last_checkpoint() const { return checkpoints() / "last.safetensors"; }
  std::filesystem::path best_checkpoint() const { return checkpoints() / "best.safetensors"; }
  std::filesystem::path best_checkpoint(int64_t iteration) const;  // best_000100.safetensors
  std::filesystem::path tensorboard() const { return root_ / "tensorboard"; }
  std::filesystem::path validation() const { return root_ / "validation.csv"; }
  std::filesystem::path checkpoint(int64_t iteration) const;  // iteration_000100.safetensors
  std::filesystem::path evaluations() const { return results_ / "evaluations"; }
  std::filesystem::path log() const { return root_ / "log.txt"; }
  std::filesystem::path lock() const { return root_ / "lock"; }

 private:
  std::filesystem::path root_, results_;
};

// What --run means: a folder, or "@NAME", an installed run (installed_runs()), whose results go into
// runs/@NAME below the current folder. `results`, if it is given, is the folder of the results. UsageError
// with the known names for an "@NAME" that is none.
RunDirectory find_run(const std::string& run, const std::filesystem::path& results = {});

// Held while a process trains in the directory; released when the object or the process ends, however it
// ends.
class RunLock {
 public:
  explicit RunLock(const RunDirectory& directory);  // Error with the owner's process id if it is held
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_ = -1;
};

// Creates the directory and its sub-folder. Error if it cannot be made.
void create_run_directory(const RunDirectory& directory);

// The data of a training: its digest (Dataset::digest) and dataset.path.
struct DataPlace {
  std::string digest, path;
};
std::string data_path(const ExperimentConfig& config);  // "" if it has none

// Error that begins with `what` and names both digests and paths unless the content is the same, wherever it
// lies. A digest that is not known ("") is not compared.
void require_same_data(const std::string& what, const DataPlace& trained, const DataPlace& now);

// What a trained run left behind, for the commands that use it.
struct TrainedRun {
  RunDirectory directory;
  ExperimentConfig config;
  Checkpoint checkpoint;
  int64_t trained = 0;         // meta-iterations done; `checkpoint` may be an earlier one, the best
  std::string data_path = {};  // dataset.path as config.ini has it, without overrides
};

// Finds the run (find_run), reads config.ini, lays `overrides` over it, and reads the checkpoint: the file
// named, else best.safetensors if the run validated, else last.safetensors. Error if the directory is no run,
// or if the keys of tasks and network (environment.*, policy.*, dataset.*, network.*) differ from what the
// checkpoint was trained with; not dataset.path, for whose content see require_same_data.
TrainedRun open_run(const std::filesystem::path& directory, const std::vector<Setting>& overrides = {},
                    const std::filesystem::path& checkpoint = {});

// UsageError if the run is not one of policies; `command` films or samples them.
void require_policy(const TrainedRun& run, const std::string& command);

// The learner of the run, holding the checkpoint's meta-parameters.
std::unique_ptr<PolicyLearner> restore_learner(const TrainedRun& run, ThreadPool& pool);

}  // namespace innerloop
