// A report over many runs: a page, its pictures, and its numbers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace innerloop {

struct ReportRequest {
  std::vector<std::filesystem::path> runs;
  std::filesystem::path out;
  std::string title = "Report";
  std::string baseline = "";    // label of an algorithm, or its name; "": maml, or else the first
  std::string evaluation = "";  // "bench", "adapt", or "": bench where there is one
  std::string command = "";     // as which it was asked for; stands on the page
};

// Writes OUT/report.html, report.json, report.csv and OUT/pictures/NAME.png and .svg, each whole or not at
// all; the page last. Returns the written files, the page first. UsageError and Error as of read_run,
// group_runs and report_results; nothing is written then.
std::vector<std::filesystem::path> write_report(const ReportRequest& request);

}  // namespace innerloop
