// Works its way through many jobs, so many at a time, each a chain of child processes.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runners/suites/child_process.h"

namespace innerloop {

enum class JobState { kWaiting, kRunning, kDone, kFailed, kStopped };

struct SuiteJob {
  std::string name;  // "maml-seed1"
  std::filesystem::path log;

  // Whether it may start: true, not yet, or never; then `error` of the job says why.
  enum class Ready { kNow, kLater, kNever };
  std::function<Ready(std::string& error)> ready = [](std::string&) { return Ready::kNow; };

  // The arguments of the next child; nothing once all is done. `last` is how the one before ended (well),
  // null at the start. An Error makes the job fail.
  std::function<std::optional<std::vector<std::string>>(const ChildEnd* last)> next;

  JobState state = JobState::kWaiting;
  std::string error = {};  // of a failed one: what it said, and how it ended
  double seconds = 0;      // that it has been running
  std::unique_ptr<ChildProcess> child = {};

  bool over() const { return state != JobState::kWaiting && state != JobState::kRunning; }
};

class SuiteDisplay;

// Starts jobs in their order, as they are ready, at most `limit` at a time, until all are over. One that
// fails fails alone. At SIGINT, SIGTERM, SIGHUP or SIGPIPE (runners/experiment/stop_signals.h) nothing more
// is started, all children are asked to stop, and once they have, jobs that were running are kStopped.
// Returns that signal, or 0.
int run_jobs(const std::vector<std::unique_ptr<SuiteJob>>& jobs, int64_t limit, SuiteDisplay& display);

}  // namespace innerloop
