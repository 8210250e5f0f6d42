// What a run tells while it trains: progress.csv, the terminal, and log.txt.
#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runners/experiment/progress_row.h"

namespace innerloop {

// A CSV file that grows while a run goes on: a header, then rows that begin with the iteration they end with.
class ProgressTable {
 public:
  // `columns`: those after the column "iteration".
  ProgressTable(std::filesystem::path file, const std::vector<std::string>& columns);
  ~ProgressTable();
  ProgressTable(const ProgressTable&) = delete;
  ProgressTable& operator=(const ProgressTable&) = delete;

  // Makes the file hold the header and the whole rows of iterations up to `iteration`, and opens it for
  // append(). Returns the number of rows kept. Error if the file's columns are others.
  int64_t open(int64_t iteration);

  void append(int64_t iteration, const std::vector<ProgressNumber>& numbers);
  void sync();  // the rows are on the disk

 private:
  std::filesystem::path file_;
  std::string header_;
  std::FILE* out_ = nullptr;
};

std::string cell(const ProgressNumber& value);  // the shortest text that reads back to the same bits

// On a terminal one bar, redrawn; otherwise a line at the start, at the end and every few seconds between.
class ProgressDisplay {
 public:
  // Iterations done+1..total are to be shown on `out`.
  // `only_lines`: no bar; mpirun gives its processes a terminal whatever reads its own output.
  ProgressDisplay(std::FILE* out, int64_t done, int64_t total, bool only_lines = false);
  ~ProgressDisplay() { finish(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;
  bool due(int64_t iteration, bool last);  // it is time to show iteration `iteration`
  void show(int64_t iteration, const std::string& text);
  void finish();  // leaves the bar's line

 private:
  std::FILE* out_;
  bool terminal_;
  int64_t start_, total_;
  std::chrono::steady_clock::time_point begin_, shown_;
  bool open_line_ = false;
};

std::string format_duration(double seconds);  // "0:42", "1:03:20"

// Appends lines with the time of day (UTC) to log.txt. A log that cannot be written stops nothing.
class RunLog {
 public:
  explicit RunLog(std::filesystem::path file) : file_(std::move(file)) {}
  void write(const std::string& message) const;

 private:
  std::filesystem::path file_;
};

// "0.2 ms per meta-iteration (median of 70000; mean 0.25)"; not empty.
std::string milliseconds_text(std::vector<float> milliseconds, const std::string& unit = "meta-iteration");
double median(std::vector<float> values);  // not empty
// The median of the column "milliseconds" of a progress.csv; nothing if there is none.
std::optional<double> recorded_milliseconds(const std::filesystem::path& progress);

}  // namespace innerloop
