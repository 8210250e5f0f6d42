// report.html: one page that opens from a disk without network.
#pragma once

#include <filesystem>
#include <string>

#include "runners/reports/report_plots.h"
#include "runners/reports/report_results.h"

namespace innerloop {

struct ReportPage {
  std::string title;
  std::string command;             // that made it
  std::filesystem::path pictures;  // the folder in which NAME.svg of every picture lies
};

// Embeds the pictures and the films of the runs. Error if one of them cannot be read.
std::string report_page(const ReportResults& results, const ReportPage& page);

}  // namespace innerloop
