#include "runners/suites/suite_jobs.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

#include "base/error.h"
#include "runners/experiment/stop_signals.h"
#include "runners/suites/suite_display.h"

namespace innerloop {
namespace {

using JobClock = std::chrono::steady_clock;
constexpr auto kBetweenLooks = std::chrono::milliseconds(20);

class JobLoop {
 public:
  JobLoop(const std::vector<std::unique_ptr<SuiteJob>>& jobs, int64_t limit, SuiteDisplay& display)
      : jobs_(jobs), limit_(limit), display_(display) {}

  int run() {
    const StopSignals signals;
    int stop = 0;
    for (auto before = JobClock::now();;) {
      if (stop == 0 && (stop = StopSignals::received()) != 0) ask_all_to_stop();
      const auto now = JobClock::now();
      const double seconds = std::chrono::duration<double>(now - before).count();
      before = now;
      for (const auto& job : jobs_) {
        if (job->state == JobState::kRunning) look_at(*job, seconds, stop != 0);
      }
      if (stop == 0) start_what_is_ready();
      const bool idle = count(JobState::kRunning) == 0;
      if (idle && (stop != 0 || count(JobState::kWaiting) == 0)) return stop;
      display_.show(jobs_);
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }

 private:
  int64_t count(JobState state) const {
    return std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& job) { return job->state == state; });
  }

  void ask_all_to_stop() {
    for (const auto& job : jobs_) {
      if (job->child) job->child->ask_to_stop();
    }
  }

  void end(SuiteJob& job, JobState state, const std::string& error = "") {
    job.child.reset();
    job.state = state;
    job.error = error;
    display_.ended(job);
  }

  // Starts the job's next child, or ends it.
  void advance(SuiteJob& job, const ChildEnd* last) {
    try {
      const auto arguments = job.next(last);
      if (!arguments) return end(job, JobState::kDone);
      job.child = std::make_unique<ChildProcess>(*arguments, job.log);
      job.state = JobState::kRunning;
    } catch (const std::exception& error) {
      end(job, JobState::kFailed, error.what());
    }
  }

  void look_at(SuiteJob& job, double seconds, bool stopping) {
    job.seconds += seconds;
    const auto ended = job.child->poll();
    if (!ended) return;
    if (ended->good() && !stopping) return advance(job, &*ended);
    if (ended->good()) return finish_if_over(job, *ended);
    if (stopping && (ended->signal != 0 || ended->code > 128)) return end(job, JobState::kStopped);
    // One that was killed had no last word; what it printed last is no reason.
    const std::string said = ended->signal != 0 ? "" : error_line(job.child->printed());
    end(job, JobState::kFailed, said.empty() ? end_text(*ended) : said);
  }

  // While stopping no further child is started, but a job whose last one has ended well is done.
  void finish_if_over(SuiteJob& job, const ChildEnd& last) {
    try {
      const bool over = !job.next(&last).has_value();
      end(job, over ? JobState::kDone : JobState::kStopped);
    } catch (const std::exception& error) {
      end(job, JobState::kFailed, error.what());
    }
  }

  void start_what_is_ready() {
    for (const auto& job : jobs_) {
      if (count(JobState::kRunning) >= limit_) return;
      if (job->state != JobState::kWaiting) continue;
      std::string error;
      const auto ready = job->ready(error);
      if (ready == SuiteJob::Ready::kNever) end(*job, JobState::kFailed, error);
      if (ready == SuiteJob::Ready::kNow) advance(*job, nullptr);
    }
  }

  const std::vector<std::unique_ptr<SuiteJob>>& jobs_;
  int64_t limit_;
  SuiteDisplay& display_;
};

}  // namespace

int run_jobs(const std::vector<std::unique_ptr<SuiteJob>>& jobs, int64_t limit, SuiteDisplay& display) {
  return JobLoop(jobs, limit, display).run();
}

}  // namespace innerloop
