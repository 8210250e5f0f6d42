#include "runners/experiment/training.h"

#include <chrono>
#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "base/paths.h"
#include "datasets/hash.h"
#include "networks/tensors/error_text.h"
#include "runners/experiment/progress_plot.h"
#include "runners/experiment/shell.h"
#include "runners/experiment/stop_signals.h"
#include "runners/experiment/warm_start.h"

namespace innerloop {
namespace {

using Clock = std::chrono::steady_clock;

// Refuses a directory that holds something, unless it is to be resumed; takes the lock otherwise.
std::unique_ptr<RunLock> claim(const TrainingRequest& request) {
  const auto& directory = request.directory;
  const std::string name = directory.root().string();
  std::error_code ignored;
  const bool empty = !std::filesystem::exists(directory.root(), ignored) ||
                     std::filesystem::is_empty(directory.root(), ignored);
  const std::string advice = concat("run directory '", name,
                                    "' is not empty: add --resume to go on with it, or choose "
                                    "another --run-dir");
  require(empty || request.resume || std::filesystem::exists(directory.lock(), ignored), advice);
  if (empty || request.resume) create_run_directory(directory);
  auto lock = std::make_unique<RunLock>(directory);
  require(request.resume || !std::filesystem::exists(directory.config(), ignored), advice);
  return lock;
}

void refuse_other_training(const std::string& saved, const ExperimentConfig& config,
                           const std::string& name) {
  const auto difference = first_difference(saved, training_text(config));
  if (!difference) return;
  throw Error(concat(
      "cannot resume '", name, "': it was trained with ", difference->key, " = ", difference->left, ", now ",
      difference->key, " = ", difference->right,
      "; only keys that leave the training as it is may change (meta.iterations, threads, checkpoint.*, "
      "evaluation.*, dataset.path)"));
}

// What the directory already holds; nullopt-like iteration 0 with empty parameters for a fresh start.
Checkpoint resume_point(const TrainingRequest& request, const TrainingJob& job) {
  const auto& directory = request.directory;
  const std::string name = directory.root().string();
  std::error_code ignored;
  if (!request.resume || !std::filesystem::exists(directory.config(), ignored)) return {};
  const auto saved = make_config(read_settings(directory.config()));
  refuse_other_training(training_text(saved), request.config, name);
  if (!std::filesystem::exists(directory.last_checkpoint(), ignored)) {
    require(!std::filesystem::exists(directory.checkpoints() / "last.ckpt", ignored), "cannot resume '", name,
            "': its checkpoint last.ckpt is of the format before safetensors, which is not read; train again "
            "in another "
            "--run-dir");
    return {};
  }
  auto checkpoint = load_checkpoint(directory.last_checkpoint());
  require(checkpoint.kind == job.kind(), "cannot resume '", name, "': its checkpoint is that of a '",
          checkpoint.kind, "' training, this one is '", job.kind(), "'");
  refuse_other_training(checkpoint.config, request.config, name);
  require_same_data(concat("cannot resume '", name, "'"), {checkpoint.data, data_path(saved)},
                    {job.data_digest(), data_path(request.config)});
  require(checkpoint.iteration <= request.config.iterations, "cannot resume '", name, "': it has done ",
          checkpoint.iteration, " meta-iterations, meta.iterations is ", request.config.iterations);
  return checkpoint;
}

// Of everything that the next iterations depend on.
std::string digest(const TrainingJob& job) {
  Checkpoint state;
  job.save(state);
  return Hash().add(format_checkpoint(state)).hex();
}

}  // namespace

Training::Training(const TrainingRequest& request, TrainingJob& job, ThreadPool& pool)
    : command_(request.command),
      config_(request.config),
      directory_(request.directory),
      job_(job),
      executor_(pool),
      processes_(pool.processes()),
      progress_(directory_, job.columns(), config_.tensorboard),
      log_(directory_.log()) {
  require_same_everywhere(processes_, "the configuration", training_text(config_));
  require_same_everywhere(processes_, "the data", job.data_digest());
  std::string found;
  executor_.together([&] {
    if (!processes_.first()) return;
    lock_ = claim(request);
    const Checkpoint resumed = resume_point(request, job);
    if (!resumed.meta.empty()) found = format_checkpoint(resumed);
  });
  processes_.broadcast(found, 0);
  const Checkpoint point = found.empty() ? Checkpoint{} : parse_checkpoint(found, "the checkpoint of rank 0");
  if (!point.meta.empty()) job_.restore(point);
  const WarmStart start = point.meta.empty() && !config_.meta().start.empty()
                              ? warm_start(config_.meta().start, job_.meta_parameters())
                              : WarmStart{};
  if (!start.meta.empty()) job_.start_from(start.meta);
  done_ = point.iteration;
  compare_states();
  if (!processes_.first()) return;
  write_file_atomically(directory_.config(), format_config(config_));
  const int64_t rows = progress_.open(done_), expected = done_ / job_.row_every();
  note(concat(done_ == 0 ? "training" : concat(over() ? "already done: " : "resuming after ", done_, " of"),
              " ", config_.iterations, " ", job.unit().many, " in ", directory_.root().string(), " with ",
              processes_.size() == 1 ? "" : concat(processes_.size(), " processes of "), pool.size(),
              " threads, innerloop ", version()));
  if (!start.meta.empty()) {
    note(concat("started from ", start.taken.size(), " entries of ", config_.meta().start,
                start.kept.empty() ? "" : concat("; as drawn: ", join(start.kept)),
                start.unused.empty() ? "" : concat("; not used: ", join(start.unused))));
  }
  if (rows < expected)
    note(concat("progress.csv holds only ", rows, " of the ", expected, " rows before this point"));
  if (point.meta.empty()) save(true);
  job_.begin(directory_, done_);
}

TrainingOutcome Training::run() {
  const StopSignals signals;
  for (const auto& text : config_.notes) std::cout << "  " << text << '\n';
  std::cout << job_.summary() << std::flush;
  ProgressDisplay display(stdout, done_, config_.iterations, processes_.size() > 1);
  const auto begin = Clock::now();
  traffic_before_ = processes_.traffic();
  int signal = stop_signal();
  while (!over() && signal == 0) {
    iterate(display);
    ++done_;
    progress_.tell(done_, job_.after(done_));
    const bool last = over();
    signal = stop_signal();
    if (last || done_ % config_.checkpoint.every == 0) compare_states();
    if (!processes_.first()) continue;
    if (last || done_ % job_.row_every() == 0) progress_.append(done_, job_.row());
    if (display.due(done_, last)) display.show(done_, job_.describe());
    if (last || done_ % config_.checkpoint.every == 0) save(true);
  }
  if (processes_.first()) {
    display.finish();
    if (!over()) save(false);  // before anything that takes time: who asks to stop may not wait
  }
  executor_.together([] {});  // what is saved is there for all
  if (!processes_.first()) return {over() ? 0 : 128 + signal, done_, milliseconds_};
  const std::chrono::duration<double> elapsed = Clock::now() - begin;
  if (!milliseconds_.empty()) note(milliseconds_text(milliseconds_, job_.unit().one));
  if (job_.draws_progress()) draw_progress_if_possible(config_, directory_);
  if (processes_.size() > 1 && !milliseconds_.empty()) note(traffic_text());
  if (!over()) return {stopped(signal), done_, milliseconds_};
  note(concat("done: ", done_, " ", job_.unit().many, job_.amount(), ", this part took ",
              format_duration(elapsed.count())));
  return {0, done_, milliseconds_};
}

void Training::iterate(ProgressDisplay& display) {
  try {
    const auto begin = Clock::now();
    job_.iterate(done_);
    const std::chrono::duration<float, std::milli> time = Clock::now() - begin;
    milliseconds_.push_back(time.count());
    for (const auto& text : job_.notes()) warn(display, text);
  } catch (const std::exception& error) {
    display.finish();
    const std::string message = concat("training stopped in ", job_.unit().one, " ", done_ + 1, ": ",
                                       error_text(error), "; the last good checkpoint, ",
                                       directory_.last_checkpoint().string(), ", holds iteration ", saved_);
    if (processes_.first()) log_.write(message);
    throw Error(message);
  }
}

// Processors that round differently would train apart.
void Training::compare_states() {
  if (processes_.size() == 1) return;
  require_same_everywhere(processes_, concat("the state after ", done_, " ", job_.unit().many), digest(job_));
}

int Training::stop_signal() {
  return static_cast<int>(-processes_.least(-static_cast<int64_t>(StopSignals::received())));
}

// To the log, and the first few to the terminal too.
void Training::warn(ProgressDisplay& display, const std::string& text) {
  if (!processes_.first()) return;
  constexpr int kShown = 3;
  const std::string message = concat(job_.unit().one, " ", done_ + 1, ": ", text);
  log_.write(message);
  if (++warnings_ > kShown) return;
  display.finish();
  std::cout << message << (warnings_ == kShown ? "; what follows of this kind is in log.txt only" : "")
            << '\n';
}

// `milestone`: a point that an uninterrupted run saves too.
void Training::save(bool milestone) {
  progress_.sync();
  Checkpoint checkpoint{.kind = job_.kind(), .config = training_text(config_), .iteration = done_};
  checkpoint.data = job_.data_digest();
  job_.save(checkpoint);
  if (milestone && config_.checkpoint.keep == "all")
    save_checkpoint(directory_.checkpoint(done_), checkpoint);
  save_checkpoint(directory_.last_checkpoint(), checkpoint);
  saved_ = done_;
}

std::string Training::traffic_text() const {
  const double bytes = static_cast<double>(processes_.traffic() - traffic_before_);
  char text[96];
  std::snprintf(text, sizeof text, "rank 0 sent %.1f kB per %s to the others",
                bytes / 1000 / static_cast<double>(milliseconds_.size()), job_.unit().one.c_str());
  return text;
}

int Training::stopped(int signal) {
  note(concat("stopped by signal ", signal, " after ", done_, " of ", config_.iterations, " ",
              job_.unit().many, "; checkpoint saved"));
  std::cout << "go on with: innerloop " << command_ << " --run-dir " << shell_word(directory_.root().string())
            << " --resume\n";
  return 128 + signal;
}

void Training::note(const std::string& message) const {
  log_.write(message);
  std::cout << message << '\n';
}

}  // namespace innerloop
