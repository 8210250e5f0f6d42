#include "base/paths.h"

#include <cstdlib>
#include <system_error>

#include "base/error.h"

namespace innerloop {
namespace {

bool holds_data(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_directory(folder / "configs", ignored);
}

}  // namespace

std::string version() { return INNERLOOP_VERSION; }

std::filesystem::path data_directory() {
  if (const char* chosen = std::getenv("INNERLOOP_SHARE"); chosen != nullptr && *chosen != '\0') {
    require_usage(holds_data(chosen), "INNERLOOP_SHARE is '", chosen,
                  "', expected a folder that holds configs/");
    return chosen;
  }
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto installed = program.parent_path().parent_path() / "share" / "innerloop";
  if (!error && holds_data(installed)) return installed;
  const std::filesystem::path source = INNERLOOP_SOURCE_DIR;
  require(holds_data(source), "cannot find the folder configs/: looked in '", installed.string(), "' and '",
          source.string(), "'; set INNERLOOP_SHARE to the folder that holds it");
  return source;
}

}  // namespace innerloop
