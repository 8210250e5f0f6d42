#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "base/error.h"
#include "base/paths.h"
#include "meta/executor.h"
#include "runners/commands.h"
#include "runners/progress.h"
#include "runners/run_directory.h"

namespace innerloop {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

extern "C" void request_stop(int signal) {
  stop_signal = signal;
  const char message[] = "\nstopping after this meta-iteration (the same signal again stops at once)\n";
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
}

// While it lives, the first SIGINT or SIGTERM only sets stop_signal; a second one has its usual effect, which
// is safe at any instant.
class StopSignals {
 public:
  StopSignals() {
    stop_signal = 0;
    struct sigaction action {};
    action.sa_handler = request_stop;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
  }
  ~StopSignals() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }

 private:
  struct sigaction interrupt_ {
  }, terminate_{};
};

struct Request {
  ExperimentConfig config;
  RunDirectory directory;
  bool resume;
};

Request read_request(const CommandLine& line) {
  const bool resume = line.has("resume");
  std::filesystem::path file, directory = line.value("run-dir");
  require_usage(!line.has("run-dir") || !directory.empty(), "--run-dir is empty, expected a folder");
  if (line.has("config")) {
    file = find_config(line.value("config"));
  } else if (resume) {
    require_usage(!directory.empty(),
                  "train: --resume needs --run-dir DIR, or the --config the run was started with");
    file = RunDirectory(directory).config();
    std::error_code ignored;
    require(std::filesystem::exists(file, ignored), "cannot resume: '", directory.string(),
            "' holds no config.ini; start it with --config");
  }
  auto config = make_config(file.empty() ? std::vector<Setting>{} : read_settings(file), line.settings);
  if (directory.empty()) {
    const std::string name = file.empty() ? config.learner.environment.name : file.stem().string();
    directory = std::filesystem::path("runs") / concat(name, "-seed", config.learner.seed);
  }
  return {config, RunDirectory(directory), resume};
}

// Refuses a directory that holds something, unless it is to be resumed; takes the lock otherwise.
std::unique_ptr<RunLock> claim(const Request& request) {
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
      "evaluation.*)"));
}

// What the directory already holds; nullopt-like iteration 0 with empty parameters for a fresh start.
Checkpoint resume_point(const Request& request) {
  const auto& directory = request.directory;
  const std::string name = directory.root().string();
  std::error_code ignored;
  if (!request.resume || !std::filesystem::exists(directory.config(), ignored)) return {};
  const auto saved = make_config(read_settings(directory.config()));
  refuse_other_training(training_text(saved), request.config, name);
  if (!std::filesystem::exists(directory.last_checkpoint(), ignored)) return {};
  auto checkpoint = load_checkpoint(directory.last_checkpoint());
  refuse_other_training(checkpoint.config, request.config, name);
  require(checkpoint.iteration <= request.config.iterations, "cannot resume '", name, "': it has done ",
          checkpoint.iteration, " meta-iterations, meta.iterations is ", request.config.iterations);
  return checkpoint;
}

class Training {
 public:
  explicit Training(const Request& request)
      : config_(request.config),
        directory_(request.directory),
        pool_(thread_count(config_), &Executor::prepare_thread),
        learner_(config_.learner, pool_),
        lock_(claim(request)),
        table_(directory_.progress(), config_.learner.inner.steps, learner_.environment().defines_success),
        log_(directory_.log()) {
    const Checkpoint point = resume_point(request);
    if (!point.meta.empty()) learner_.restore(point.meta, point.optimizer);
    done_ = point.iteration;
    environment_steps_ = point.environment_steps;
    write_file_atomically(directory_.config(), format_config(config_));
    const int64_t rows = table_.open(done_);
    note(concat(
        done_ == 0 ? "training"
                   : concat(done_ == config_.iterations ? "already done: " : "resuming after ", done_, " of"),
        " ", config_.iterations, " meta-iterations in ", directory_.root().string(), " with ", pool_.size(),
        " threads, innerloop ", version()));
    if (rows < done_)
      note(concat("progress.csv holds only ", rows, " of the ", done_, " rows before this point"));
    if (point.meta.empty()) save(true);
  }

  int run() {
    const StopSignals signals;
    std::cout << summary() << std::flush;
    ProgressDisplay display(stdout, done_, config_.iterations);
    const auto begin = std::chrono::steady_clock::now();
    while (done_ < config_.iterations && stop_signal == 0) {
      const IterationReport report = iterate(display);
      environment_steps_ += report.environment_steps;
      table_.append(++done_, environment_steps_, report);
      display.update(done_, report);
      const bool last = done_ == config_.iterations;
      if (last || done_ % config_.checkpoint.every == 0) save(true);
    }
    display.finish();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    if (done_ < config_.iterations) return stopped();
    note(concat("done: ", done_, " meta-iterations, ", environment_steps_,
                " environment steps, this part took ", format_duration(elapsed.count())));
    const std::string run = directory_.root().string();
    std::cout << "\n  " << directory_.last_checkpoint().string() << "\n  " << directory_.progress().string()
              << "\n  " << directory_.config().string() << "\n\nnext:\n  innerloop adapt --run " << run
              << "     how well it adapts to new tasks\n  innerloop record --run " << run
              << "    videos of it\n";
    return 0;
  }

 private:
  IterationReport iterate(ProgressDisplay& display) {
    try {
      return learner_.iterate(done_);
    } catch (const std::exception& error) {
      display.finish();
      const std::string message = concat("training stopped in meta-iteration ", done_ + 1, ": ", error.what(),
                                         "; the last good checkpoint, ",
                                         directory_.last_checkpoint().string(), ", holds iteration ", saved_);
      log_.write(message);
      throw Error(message);
    }
  }

  // `milestone`: a point that an uninterrupted run saves too.
  void save(bool milestone) {
    table_.sync();
    const Checkpoint checkpoint{"policy",           training_text(config_),     done_,
                                environment_steps_, learner_.meta_parameters(), learner_.optimizer_state()};
    if (milestone && config_.checkpoint.keep == "all")
      save_checkpoint(directory_.checkpoint(done_), checkpoint);
    save_checkpoint(directory_.last_checkpoint(), checkpoint);
    saved_ = done_;
  }

  int stopped() {
    save(false);
    note(concat("stopped by signal ", stop_signal, " after ", done_, " of ", config_.iterations,
                " meta-iterations; checkpoint saved"));
    std::cout << "go on with: innerloop train --run-dir " << directory_.root().string() << " --resume\n";
    return 128 + stop_signal;
  }

  // What the numbers of this run depend on, for the reader of the terminal.
  std::string summary() const {
    const auto& c = config_.learner;
    const auto& environment = learner_.environment();
    return concat("  ", config_.algorithm, " on ", environment.name,
                  c.environment.observe_task ? " (task observed)" : "", ", horizon ", environment.horizon,
                  ", seed ", c.seed, "\n  ", c.meta_batch_size, " tasks x ", c.sampler.trajectories,
                  " trajectories, ", c.inner.steps, " inner step(s) of size ", c.inner.step_size,
                  c.inner.first_order ? ", first order" : "", ", ", c.optimizer.name, ", ", c.policy.name,
                  ", ", learner_.meta_parameters().numel(), " meta-parameters\n");
  }

  void note(const std::string& message) const {
    log_.write(message);
    std::cout << message << '\n';
  }

  ExperimentConfig config_;
  RunDirectory directory_;
  ThreadPool pool_;
  PolicyMetaLearner learner_;
  std::unique_ptr<RunLock> lock_;
  ProgressTable table_;
  RunLog log_;
  int64_t done_ = 0, environment_steps_ = 0, saved_ = 0;
};

}  // namespace

CommandDescription train_description() {
  return {
      .name = "train",
      .summary = "Meta-trains a policy on a distribution of tasks.",
      .details =
          "Makes a run directory that holds config.ini (every key as it was used), progress.csv (one row "
          "per\n"
          "meta-iteration), checkpoints/last.ckpt and log.txt. Flags override --config, which overrides the\n"
          "defaults below. The same configuration and seed give the same checkpoint, bit by bit, whatever "
          "the\n"
          "number of threads, and also after a stop, a crash or kill -9 followed by --resume.\n\n"
          "Ctrl-C (SIGINT) or SIGTERM finishes the meta-iteration, saves a checkpoint and ends with exit "
          "code\n"
          "130 or 143. Other exit codes: 0 done, 1 failure, 2 a request that cannot be understood.\n\n"
          "example: innerloop train --config navigation_2d --seed 2 --run-dir runs/second",
      .options = {{"config", "FILE", "INI file, or the name of an installed one (innerloop list configs)"},
                  {"run-dir", "DIR", "where to write  [runs/NAME-seedN, NAME from the configuration]"},
                  {"resume", "", "go on from the last checkpoint in the run directory, if there is one"}},
      .sections = {"*"}};
}

int train(const std::vector<std::string>& arguments) {
  const auto description = train_description();
  const auto line = parse_command_line(description, arguments);
  if (line.help) {
    print_help(std::cout, description);
    return 0;
  }
  const Request request = read_request(line);
  return Training(request).run();
}

}  // namespace innerloop
