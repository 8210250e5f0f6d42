// One display over all jobs of a suite. On a terminal: a line for each that runs and one for all, redrawn.
// Otherwise the line for all every half minute. A job that ends has a line for good in both.
#pragma once

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "runners/suites/suite_jobs.h"

namespace innerloop {

class SuiteDisplay {
 public:
  explicit SuiteDisplay(std::FILE* out);
  ~SuiteDisplay() { clear(); }
  SuiteDisplay(const SuiteDisplay&) = delete;
  SuiteDisplay& operator=(const SuiteDisplay&) = delete;

  void show(const std::vector<std::unique_ptr<SuiteJob>>& jobs);  // if it is time
  void ended(const SuiteJob& job);

 private:
  void clear();

  std::FILE* out_;
  bool terminal_;
  int lines_ = 0;  // of the block that is on the terminal
  std::chrono::steady_clock::time_point begin_, shown_;
};

// "3 of 12 done, 2 running, 1 failed  38 %": `shares` are how far those that run are, from 0 to 1.
std::string total_text(const std::vector<std::unique_ptr<SuiteJob>>& jobs, const std::vector<double>& shares);

}  // namespace innerloop
