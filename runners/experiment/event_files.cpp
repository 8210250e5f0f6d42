#include "runners/experiment/event_files.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>

#include "base/error.h"
#include "runners/experiment/event_message.h"
#include "runners/experiment/record_file.h"

namespace innerloop {
namespace {

constexpr char kEventsPrefix[] = "events.out.tfevents.";

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// N of events.out.tfevents.N; 0 for other files.
int64_t part_number(const std::filesystem::path& file) {
  const std::string name = file.filename().string(), prefix = kEventsPrefix;
  if (!name.starts_with(prefix)) return 0;
  int64_t part = 0;
  const auto result = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), part);
  return result.ec == std::errc() && result.ptr == name.data() + name.size() ? part : 0;
}

void cut_after(const std::filesystem::path& file, int64_t done) {
  std::ifstream in(file, std::ios::binary);
  require(in.good(), "cannot read '", file.string(), "': ", std::strerror(errno));
  RecordReader reader(in);
  uint64_t kept = 0;
  for (std::string record; reader.next(record) && step_of_event(record) <= done;) kept = reader.end();
  if (kept < std::filesystem::file_size(file)) std::filesystem::resize_file(file, kept);
}

}  // namespace

EventFiles::~EventFiles() {
  if (out_ != nullptr) std::fclose(out_);
}

void EventFiles::open(int64_t done) {
  std::filesystem::create_directories(directory_);
  int64_t last = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const int64_t part = part_number(entry.path());
    if (part == 0) continue;
    cut_after(entry.path(), done);
    last = std::max(last, part);
  }
  std::string number = std::to_string(last + 1);
  number.insert(0, 6 - std::min<size_t>(6, number.size()), '0');
  file_ = directory_ / (kEventsPrefix + number);
  out_ = std::fopen(file_.c_str(), "wxe");
  require(out_ != nullptr, "cannot open '", file_.string(), "': ", std::strerror(errno));
  const double now = seconds_since_1970();
  write(format_version_event(now));
  write(format_start_event(now, done + 1));
}

void EventFiles::append(int64_t step, const ProgressNews& news) {
  write(format_summary_event(seconds_since_1970(), step, news));
}

void EventFiles::write(const std::string& event) {
  const std::string record = format_record(event);
  const bool written =
      std::fwrite(record.data(), 1, record.size(), out_) == record.size() && std::fflush(out_) == 0;
  require(written, "cannot write '", file_.string(), "': ", std::strerror(errno));
}

void EventFiles::sync() {
  const bool synced = fsync(fileno(out_)) == 0;
  const int reason = errno;
  require(synced, "cannot sync '", file_.string(), "': ", std::strerror(reason));
}

}  // namespace innerloop
