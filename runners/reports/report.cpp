#include "runners/reports/report.h"

#include "base/error.h"
#include "base/files.h"
#include "runners/reports/report_data.h"
#include "runners/reports/report_page.h"

namespace innerloop {

std::vector<std::filesystem::path> write_report(const ReportRequest& request) {
  std::vector<RunSummary> runs;
  for (const auto& run : request.runs) runs.push_back(read_run(run, request.evaluation));
  const ReportResults results = report_results(group_runs(std::move(runs)), request.baseline);
  std::vector<ReportPicture> pictures;
  for (size_t i = 0; i < results.problems.size(); ++i) {
    for (auto& picture : pictures_of(results.problems[i], i + 1)) pictures.push_back(std::move(picture));
  }
  if (results.across) {
    for (auto& picture : pictures_of(*results.across)) pictures.push_back(std::move(picture));
  }
  const auto folder = request.out / "pictures";
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  require(!failed, "cannot make '", folder.string(), "': ", failed.message());
  std::vector<std::filesystem::path> written{request.out / "report.html", request.out / "report.json",
                                             request.out / "report.csv"};
  for (const auto& picture : pictures) {
    for (const char* extension : {".png", ".svg"}) {
      written.push_back(folder / (picture.name + extension));
      write_plot(picture.plot, written.back());
    }
  }
  write_file_atomically(written[1], report_json(results, request.command));
  write_file_atomically(written[2], report_csv(results));
  write_file_atomically(written[0], report_page(results, {request.title, request.command, folder}));
  return written;
}

}  // namespace innerloop
