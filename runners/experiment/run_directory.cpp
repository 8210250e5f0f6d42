#include "runners/experiment/run_directory.h"

#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "base/file_lock.h"
#include "meta/algorithms/registry.h"
#include "runners/experiment/installed_runs.h"
#include "runners/experiment/shell.h"

namespace innerloop {

namespace {

std::string numbered(const char* what, int64_t iteration) {
  char name[64];
  std::snprintf(name, sizeof name, "%s_%06lld.safetensors", what, static_cast<long long>(iteration));
  return name;
}

}  // namespace

std::filesystem::path RunDirectory::checkpoint(int64_t iteration) const {
  return checkpoints() / numbered("iteration", iteration);
}

std::filesystem::path RunDirectory::best_checkpoint(int64_t iteration) const {
  return checkpoints() / numbered("best", iteration);
}

RunDirectory find_run(const std::string& run, const std::filesystem::path& results) {
  const auto installed = installed_run(run, "--run");
  if (installed.empty()) return {run, results.empty() ? std::filesystem::path(run) : results};
  return {installed, results.empty() ? std::filesystem::path("runs") / run : results};
}

RunLock::RunLock(const RunDirectory& directory)
    : descriptor_(lock_file(directory.lock(), concat("run directory '", directory.root().string(), "'"),
                            "wait for it, stop it, or choose another --run-dir")) {}

RunLock::~RunLock() { close(descriptor_); }

void create_run_directory(const RunDirectory& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.checkpoints(), error);
  require(!error, "cannot make the run directory '", directory.root().string(), "': ", error.message());
}

std::string data_path(const ExperimentConfig& config) {
  const auto& own = config.supervised.dataset.own.values();
  const auto path = own.find("path");
  return path == own.end() ? "" : path->second;
}

void require_same_data(const std::string& what, const DataPlace& trained, const DataPlace& now) {
  if (trained.digest.empty() || now.digest.empty() || trained.digest == now.digest) return;
  const auto place = [](const DataPlace& data) {
    return concat(data.path.empty() ? "INNERLOOP_DATA" : "'" + data.path + "'", " (digest ", data.digest,
                  ")");
  };
  throw Error(concat(what, ": it was trained on the data set in ", place(trained), "; what now lies in ",
                     place(now), " is another; --dataset.path says where the former is"));
}

TrainedRun open_run(const std::filesystem::path& directory, const std::vector<Setting>& overrides,
                    const std::filesystem::path& checkpoint) {
  const RunDirectory run = find_run(directory.string());
  std::error_code ignored;
  require(std::filesystem::is_directory(run.root(), ignored), "run directory '", directory.string(),
          "' does not exist; innerloop train makes one");
  require(std::filesystem::exists(run.config(), ignored), "'", directory.string(),
          "' is no run directory: it holds no config.ini; innerloop train makes one");
  const auto settings = read_settings(run.config());
  TrainedRun trained{run, make_config(settings, overrides), {}};
  trained.data_path = data_path(make_config(settings));
  const bool best = checkpoint.empty() && std::filesystem::exists(run.best_checkpoint(), ignored);
  const auto file = best ? run.best_checkpoint() : checkpoint.empty() ? run.last_checkpoint() : checkpoint;
  trained.checkpoint = load_checkpoint(file);
  trained.trained = best ? load_checkpoint(run.last_checkpoint()).iteration : trained.checkpoint.iteration;
  const std::string kind = trained.config.side == Side::kPolicy ? "policy" : "supervised";
  require(trained.checkpoint.kind != "online", "'", run.root().string(),
          "' is a run of online learning; innerloop online --run-dir ", shell_word(run.root().string()),
          " --resume reports it");
  require(trained.checkpoint.kind == kind, "checkpoint '", file.string(), "' is that of a '",
          trained.checkpoint.kind, "' training, the configuration is one of ",
          side_name(trained.config.side));
  const std::string text = training_text(trained.config);
  for (const char* prefix : {"environment.", "policy.", "dataset.", "network."}) {
    const auto difference = first_difference(trained.checkpoint.config, text, prefix);
    if (!difference) continue;
    throw Error(concat("checkpoint '", file.string(), "' was trained with ", difference->key, " = ",
                       difference->left, ", the configuration says ", difference->right));
  }
  return trained;
}

void require_policy(const TrainedRun& run, const std::string& command) {
  require_usage(run.config.side == Side::kPolicy, command, ": '", run.directory.root().string(),
                "' is a run of ", side_name(run.config.side), " on ", run.config.tasks(),
                ", which has no policy; innerloop adapt --run ", shell_word(run.directory.root().string()),
                " evaluates it and draws it");
}

std::unique_ptr<PolicyLearner> restore_learner(const TrainedRun& run, ThreadPool& pool) {
  auto learner = make_policy_learner(run.config.learner, find_algorithm(run.config.algorithm()), pool);
  learner->use(run.checkpoint.meta, run.checkpoint.method);
  return learner;
}

}  // namespace innerloop
