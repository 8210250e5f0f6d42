#include "runners/suites/suite_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "runners/experiment/progress.h"

namespace innerloop {
namespace {

using DisplayClock = std::chrono::steady_clock;
constexpr double kBetweenBlocks = 0.25, kBetweenTotals = 30;

double seconds_from(DisplayClock::time_point then) {
  return std::chrono::duration<double>(DisplayClock::now() - then).count();
}

size_t columns_of(std::FILE* out) {
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40 ? size.ws_col : 100;
}

std::string cut(std::string text, size_t width) {
  if (text.size() > width) text.resize(width);
  return text;
}

}  // namespace

SuiteDisplay::SuiteDisplay(std::FILE* out)
    : out_(out), terminal_(isatty(fileno(out)) == 1), begin_(DisplayClock::now()), shown_(begin_) {}

std::string total_text(const std::vector<std::unique_ptr<SuiteJob>>& jobs,
                       const std::vector<double>& shares) {
  int64_t done = 0, running = 0, failed = 0;
  for (const auto& job : jobs) {
    done += job->state == JobState::kDone ? 1 : 0;
    running += job->state == JobState::kRunning ? 1 : 0;
    failed += job->state == JobState::kFailed ? 1 : 0;
  }
  const double share =
      (static_cast<double>(done + failed) + std::accumulate(shares.begin(), shares.end(), 0.0)) /
      static_cast<double>(std::max<size_t>(1, jobs.size()));
  return concat(done, " of ", jobs.size(), " done, ", running, " running",
                failed == 0 ? "" : concat(", ", failed, " failed"), "  ", static_cast<int64_t>(100 * share),
                " %");
}

void SuiteDisplay::show(const std::vector<std::unique_ptr<SuiteJob>>& jobs) {
  if (seconds_from(shown_) < (terminal_ ? kBetweenBlocks : kBetweenTotals)) return;
  shown_ = DisplayClock::now();
  size_t width = 0;
  std::vector<double> shares;
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& job : jobs) {
    if (job->state != JobState::kRunning) continue;
    const ChildProgress progress = progress_of(job->child->printed());
    shares.push_back(
        progress.total == 0 ? 0 : static_cast<double>(progress.done) / static_cast<double>(progress.total));
    rows.emplace_back(job->name, progress.line.empty() ? job->child->command() : progress.line);
    width = std::max(width, job->name.size());
  }
  const std::string total = concat(total_text(jobs, shares), "  ", format_duration(seconds_from(begin_)));
  if (!terminal_) {
    std::fprintf(out_, "%s\n", total.c_str());
    std::fflush(out_);
    return;
  }
  clear();
  const size_t columns = columns_of(out_) - 1;
  for (auto& [name, line] : rows) {
    name.resize(width, ' ');
    std::fprintf(out_, "%s\n", cut(concat("  ", name, "  ", line), columns).c_str());
  }
  std::fprintf(out_, "%s\n", cut(total, columns).c_str());
  std::fflush(out_);
  lines_ = static_cast<int>(rows.size()) + 1;
}

void SuiteDisplay::ended(const SuiteJob& job) {
  clear();
  const std::string time = format_duration(job.seconds);
  switch (job.state) {
    case JobState::kDone:
      std::fprintf(out_, "  %s: done, %s\n", job.name.c_str(), time.c_str());
      break;
    case JobState::kFailed:
      std::fprintf(out_, "  %s: failed: %s\n", job.name.c_str(), job.error.c_str());
      break;
    default:
      std::fprintf(out_, "  %s: stopped after %s\n", job.name.c_str(), time.c_str());
  }
  std::fflush(out_);
}

// The block goes; what comes next stands in its place.
void SuiteDisplay::clear() {
  if (lines_ > 0) std::fprintf(out_, "\x1b[%dA\x1b[J", lines_);
  lines_ = 0;
}

}  // namespace innerloop
