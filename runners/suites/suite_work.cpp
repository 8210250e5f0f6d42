#include "runners/suites/suite_work.h"

#include <unistd.h>

#include <chrono>
#include <map>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/paths.h"
#include "runners/suites/suite_budget.h"
#include "runners/suites/suite_study.h"

namespace innerloop {
namespace {

// A training whose suite was killed is gone within moments; its lock with it.
constexpr auto kLongestWaitForLock = std::chrono::seconds(30);

class FolderLock {
 public:
  explicit FolderLock(const SuitePlan& plan)
      : descriptor_(lock_file(plan.directory / name(plan.part),
                              concat("suite folder '", plan.directory.string(), "'"),
                              "wait for that suite, stop it, or choose another --out")) {}
  ~FolderLock() { close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  static std::string name(const SuitePart& part) {
    return part.count == 1 ? "lock" : concat("lock-", part.index, "-of-", part.count);
  }
  int descriptor_;
};

RunOutcome stand_of(const SuitePlan& plan, const SuiteRun& run, std::vector<std::string>& notes) {
  RunOutcome outcome{.state = run.here ? RunState::kNotDone : RunState::kElsewhere};
  const auto folder = SuiteFolder{plan.directory}.run(run);
  const auto record = read_run_record(folder);
  if (!record) return outcome;
  outcome.seconds = record->seconds;
  if (record->version != version()) {
    notes.push_back(concat(run.id, " was ", record->done ? "done" : "begun", " by innerloop ",
                           record->version, ", this is ", version(), "; without ", folder.string(),
                           " it is done anew"));
  }
  if (!record->done) return outcome;
  if (const auto difference = difference_on_disk(run, folder)) {
    notes.push_back(concat(run.id, " was done otherwise: ", *difference));
    return outcome;
  }
  try {
    outcome.result = read_run_result(run, folder, plan.searches());
    if (plan.settings.study != "none") read_study(folder, plan.settings.study);
    outcome.state = RunState::kDoneBefore;
  } catch (const Error& error) {
    notes.push_back(concat(run.id, " is done again: ", error.what()));
  }
  return outcome;
}

// The job of one run, and how it knows what it waits for.
class RunJob {
 public:
  RunJob(SuitePlan& plan, size_t place, RunOutcome& outcome)
      : plan_(plan), run_(plan.runs[place]), outcome_(outcome), folder_{plan.directory} {}

  const SuiteJob* measuring = nullptr;  // must be over first
  const SuiteJob* before = nullptr;     // the same of the run that it starts from

  SuiteJob::Ready ready(std::string& error) {
    for (const auto* first : {measuring, before}) {
      if (first == nullptr || first->state == JobState::kDone) continue;
      if (!first->over()) return SuiteJob::Ready::kLater;
      error = first == before ? concat(first->name, ", which it starts from, failed")
                              : concat("its budget could not be measured: ", first->error);
      return SuiteJob::Ready::kNever;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!waiting_since_) waiting_since_ = now;
    const bool wait = run_in_use(folder_.run(run_)) && now - *waiting_since_ < kLongestWaitForLock;
    return wait ? SuiteJob::Ready::kLater : SuiteJob::Ready::kNow;
  }

  std::optional<std::vector<std::string>> next(const ChildEnd* last, double seconds) {
    if (last == nullptr) {
      if (plan_.settings.minutes > 0) {
        const auto speed = read_speed(folder_, run_.name);
        require(speed.has_value(), "the budget of ", run_.name, " is not measured");
        set_iterations(run_, speed->within(plan_.settings.minutes), plan_);
      }
      return training_arguments(run_, folder_.run(run_));
    }
    if (run_.config.side == Side::kPolicy && !evaluated_) {
      evaluated_ = true;
      return evaluation_arguments(run_, folder_.run(run_), plan_.searches());
    }
    if (plan_.settings.study != "none" && !studied_) {
      studied_ = true;
      return study_arguments(plan_, folder_.run(run_));
    }
    outcome_.result = read_run_result(run_, folder_.run(run_), plan_.searches());
    write_run_record(folder_.run(run_), {version(), outcome_.seconds + seconds, true});
    return std::nullopt;
  }

  // Once it is over.
  void settle(const SuiteJob& job) {
    outcome_.seconds += job.seconds;
    outcome_.error = job.error;
    outcome_.state = job.state == JobState::kDone      ? RunState::kDone
                     : job.state == JobState::kFailed  ? RunState::kFailed
                     : job.state == JobState::kStopped ? RunState::kStopped
                                                       : RunState::kNotDone;
    if (outcome_.state != RunState::kDone) outcome_.result.reset();
    std::error_code ignored;
    const bool begun = std::filesystem::exists(folder_.run(run_) / "config.ini", ignored);
    if (job.state == JobState::kDone || job.seconds == 0 || !begun) return;
    try {
      write_run_record(folder_.run(run_), {version(), outcome_.seconds, false});
    } catch (const Error& failure) {  // a full disk, of which the run has probably died
      outcome_.state = RunState::kFailed;
      outcome_.error += concat(outcome_.error.empty() ? "" : "; ", failure.what());
    }
  }

 private:
  SuitePlan& plan_;
  SuiteRun& run_;
  RunOutcome& outcome_;
  SuiteFolder folder_;
  bool evaluated_ = false, studied_ = false;
  std::optional<std::chrono::steady_clock::time_point> waiting_since_;
};

void make_folders(const std::filesystem::path& root) {
  for (const char* name : {"logs", "budgets"}) {
    std::error_code error;
    std::filesystem::create_directories(root / name, error);
    require(!error, "cannot make the folder '", (root / name).string(), "': ", error.message());
  }
}

}  // namespace

std::string state_name(RunState state) {
  switch (state) {
    case RunState::kDone:
      return "done";
    case RunState::kDoneBefore:
      return "done before";
    case RunState::kFailed:
      return "failed";
    case RunState::kStopped:
      return "stopped";
    case RunState::kElsewhere:
      return "other part";
    default:
      return "not done";
  }
}

void require_suite_folder(const std::filesystem::path& directory) {
  std::error_code ignored;
  const auto status = std::filesystem::status(directory, ignored);
  if (!std::filesystem::exists(status)) return;
  require(std::filesystem::is_directory(status), "--out: '", directory.string(),
          "' is a file, expected a folder");
  const bool empty = std::filesystem::is_empty(directory, ignored);  // first: another part may just begin
  require(empty || std::filesystem::exists(SuiteFolder{directory}.mark(), ignored), "--out: '",
          directory.string(), "' is not empty and holds no suite (no suite.lock): choose another folder");
}

SuiteOutcome look_at_disk(SuitePlan& plan, std::vector<std::string>& notes) {
  SuiteOutcome outcome;
  for (auto& run : plan.runs) {
    if (plan.settings.minutes > 0) {
      const auto speed = read_speed({plan.directory}, run.name);
      if (!speed) {
        outcome.runs.push_back({.state = run.here ? RunState::kNotDone : RunState::kElsewhere});
        continue;
      }
      set_iterations(run, speed->within(plan.settings.minutes), plan);
    }
    outcome.runs.push_back(stand_of(plan, run, notes));
  }
  return outcome;
}

void carry_out(SuitePlan& plan, const std::string& source, SuiteDisplay& display, SuiteOutcome& outcome) {
  const SuiteFolder folder{plan.directory};
  std::error_code error;
  std::filesystem::create_directories(plan.directory, error);
  require(!error, "cannot make the folder '", plan.directory.string(), "': ", error.message());
  {
    const SuiteWriting writing(folder);
    write_file_atomically(folder.source(), source);
    write_file_atomically(plan.directory / kDefaultsFile,
                          "# No key: the defaults, with which runs begin that name no configuration.\n");
  }
  const FolderLock lock(plan);
  make_folders(plan.directory);
  std::vector<std::unique_ptr<SuiteJob>> jobs;
  std::vector<std::pair<std::unique_ptr<RunJob>, const SuiteJob*>> works;
  std::map<std::string, const SuiteJob*> measuring, by_id;
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    const auto& run = plan.runs[i];
    if (outcome.runs[i].state != RunState::kNotDone) continue;
    if (plan.settings.minutes > 0 && measuring.count(run.name) == 0 && !read_speed(folder, run.name)) {
      jobs.push_back(measuring_job(run, folder));
      measuring[run.name] = jobs.back().get();
    }
    auto work = std::make_unique<RunJob>(plan, i, outcome.runs[i]);
    auto job = std::make_unique<SuiteJob>();
    job->name = run.id;
    job->log = folder.log(run.id);
    job->ready = [work = work.get()](std::string& why) { return work->ready(why); };
    job->next = [work = work.get(), job = job.get()](const ChildEnd* last) {
      return work->next(last, job->seconds);
    };
    if (measuring.count(run.name) != 0) work->measuring = measuring[run.name];
    by_id[run.id] = job.get();
    works.emplace_back(std::move(work), job.get());
    jobs.push_back(std::move(job));
  }
  for (size_t i = 0, w = 0; i < plan.runs.size(); ++i) {
    if (outcome.runs[i].state != RunState::kNotDone) continue;
    const auto found = by_id.find(plan.runs[i].after);
    if (found != by_id.end()) works[w].first->before = found->second;
    ++w;
  }
  outcome.signal = run_jobs(jobs, plan.jobs, display);
  for (auto& [work, job] : works) work->settle(*job);
}

}  // namespace innerloop
