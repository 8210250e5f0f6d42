#include "runners/experiment/installed_runs.h"

#include <algorithm>

#include "base/error.h"
#include "base/paths.h"
#include "runners/experiment/config_files.h"

namespace innerloop {
namespace {

std::string comment_of_run(const std::filesystem::path& config) {
  const std::string text = read_ini(config), line = text.substr(0, text.find('\n'));
  return line.rfind("# ", 0) == 0 ? line.substr(2) : "";
}

}  // namespace

std::filesystem::path installed_runs_folder() { return data_directory() / "assets" / "runs"; }

std::vector<NamedDescription> installed_runs() {
  std::vector<NamedDescription> runs;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(installed_runs_folder(), ignored)) {
    const auto config = entry.path() / "config.ini";
    if (std::filesystem::exists(config, ignored))
      runs.push_back({entry.path().filename().string(), comment_of_run(config)});
  }
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return runs;
}

std::filesystem::path installed_run(const std::string& text, const std::string& asked) {
  if (text.empty() || text[0] != '@') return {};
  std::vector<std::string> known;
  for (const auto& run : installed_runs()) {
    if (text.substr(1) == run.name) return installed_runs_folder() / run.name;
    known.push_back("@" + run.name);
  }
  throw UsageError(concat(asked, ": ", unknown_name("installed run", text, known),
                          "; a file or folder whose name begins with @ is ./", shortened(text)));
}

}  // namespace innerloop
