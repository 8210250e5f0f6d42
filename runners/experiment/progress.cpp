#include "runners/experiment/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "runners/experiment/checkpoint.h"

namespace innerloop {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kSecondsBetweenLines = 5, kSecondsBetweenBars = 0.1;

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

// The iteration a complete row begins with, or -1.
int64_t row_iteration(const std::string& row) {
  int64_t value = -1;
  const auto result = std::from_chars(row.data(), row.data() + row.size(), value);
  return result.ec == std::errc() && *result.ptr == ',' ? value : -1;
}

std::string format_rate(double seconds) {
  char text[40];
  const bool slow = seconds >= 0.1;
  std::snprintf(text, sizeof text, slow ? "%.2f s" : "%.3g ms", slow ? seconds : 1000 * seconds);
  return text;
}

}  // namespace

std::string cell(const ProgressNumber& value) {
  char buffer[40];
  const auto print = [&](auto number) { return std::to_chars(buffer, buffer + sizeof buffer, number).ptr; };
  return {buffer, std::visit(print, value)};
}

ProgressTable::ProgressTable(std::filesystem::path file, const std::vector<std::string>& columns)
    : file_(std::move(file)), header_("iteration," + join(columns, ",") + "\n") {}

ProgressTable::~ProgressTable() {
  if (out_ != nullptr) std::fclose(out_);
}

int64_t ProgressTable::open(int64_t iteration) {
  std::string content = header_;
  int64_t kept = 0;
  std::ifstream in(file_, std::ios::binary);
  if (in.good()) {
    const std::string old{std::istreambuf_iterator<char>(in), {}};
    const size_t common = std::min(old.size(), header_.size());
    require(old.compare(0, common, header_, 0, common) == 0, "'", file_.string(),
            "' has other columns than this training: move it away to go on");
    for (size_t at = header_.size(); at < old.size();) {
      const size_t end = old.find('\n', at);
      if (end == std::string::npos) break;  // a row that was being written
      const std::string row = old.substr(at, end + 1 - at);
      const int64_t number_of_row = row_iteration(row);
      if (number_of_row >= 1 && number_of_row <= iteration) {
        content += row;
        ++kept;
      }
      at = end + 1;
    }
  }
  write_file_atomically(file_, content);
  out_ = std::fopen(file_.c_str(), "ae");
  require(out_ != nullptr, "cannot open '", file_.string(), "': ", std::strerror(errno));
  return kept;
}

void ProgressTable::append(int64_t iteration, const std::vector<ProgressNumber>& numbers) {
  std::string row = std::to_string(iteration);
  for (const auto& number : numbers) row.append(",").append(cell(number));
  row += "\n";
  const bool written = std::fwrite(row.data(), 1, row.size(), out_) == row.size() && std::fflush(out_) == 0;
  require(written, "cannot write '", file_.string(), "': ", std::strerror(errno));
}

void ProgressTable::sync() {
  const bool synced = fsync(fileno(out_)) == 0;
  const int reason = errno;
  require(synced, "cannot sync '", file_.string(), "': ", std::strerror(reason));
}

std::string format_duration(double seconds) {
  const auto total = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  char text[48];
  if (total >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", total / 60, total % 60);
  }
  return text;
}

ProgressDisplay::ProgressDisplay(std::FILE* out, int64_t done, int64_t total, bool only_lines)
    : out_(out),
      terminal_(!only_lines && isatty(fileno(out)) == 1),
      start_(done),
      total_(total),
      begin_(Clock::now()) {}

bool ProgressDisplay::due(int64_t iteration, bool last) {
  if (iteration == start_ + 1 || last) return true;
  return seconds_since(shown_) >= (terminal_ ? kSecondsBetweenBars : kSecondsBetweenLines);
}

void ProgressDisplay::show(int64_t iteration, const std::string& what) {
  shown_ = Clock::now();
  const double rate = seconds_since(begin_) / static_cast<double>(iteration - start_);
  const std::string total = std::to_string(total_);
  std::string done = std::to_string(iteration);
  done.insert(0, total.size() - std::min(total.size(), done.size()), ' ');
  const std::string text = concat(done, "/", total, "  ", what, "  ", format_rate(rate), "/iteration  ",
                                  format_duration(rate * static_cast<double>(total_ - iteration)), " left");
  if (terminal_) {
    constexpr int64_t kWidth = 20;
    const int64_t filled = kWidth * iteration / total_;
    std::string bar(static_cast<size_t>(filled), '=');
    bar.resize(static_cast<size_t>(kWidth), ' ');
    std::fprintf(out_, "\r[%s] %s\x1b[K", bar.c_str(), text.c_str());
    open_line_ = true;
  } else {
    std::fprintf(out_, "%s\n", text.c_str());
  }
  std::fflush(out_);
}

void ProgressDisplay::finish() {
  if (open_line_) std::fprintf(out_, "\n");
  open_line_ = false;
  std::fflush(out_);
}

void RunLog::write(const std::string& message) const {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char time[32];
  std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &utc);
  std::ofstream(file_, std::ios::app) << time << "  " << message << '\n';
}

double median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 != 0) return *middle;
  return (static_cast<double>(*std::max_element(values.begin(), middle)) + *middle) / 2;
}

std::string milliseconds_text(std::vector<float> milliseconds, const std::string& unit) {
  double sum = 0;
  for (const float value : milliseconds) sum += value;
  const auto count = milliseconds.size();
  return concat(median(std::move(milliseconds)), " ms per ", unit, " (median of ", count, "; mean ",
                sum / static_cast<double>(count), ")");
}

std::optional<double> recorded_milliseconds(const std::filesystem::path& progress) {
  std::ifstream in(progress);
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  const auto cells = [](const std::string& row) {
    std::vector<std::string> out;
    std::istringstream words(row);
    for (std::string word; std::getline(words, word, ',');) out.push_back(word);
    return out;
  };
  const auto header = cells(line);
  const auto at =
      static_cast<size_t>(std::find(header.begin(), header.end(), "milliseconds") - header.begin());
  std::vector<float> values;
  while (std::getline(in, line)) {
    const auto row = cells(line);
    float value = 0;
    if (at >= row.size()) continue;
    const auto result = std::from_chars(row[at].data(), row[at].data() + row[at].size(), value);
    if (result.ec == std::errc()) values.push_back(value);
  }
  if (values.empty()) return std::nullopt;
  return median(std::move(values));
}

}  // namespace innerloop
