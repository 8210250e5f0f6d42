// Claims about the published runs: what the page and the table say of them is what lies there.
#include <algorithm>
#include <cstring>
#include <sstream>

#include "base/paths.h"
#include "runners/experiment/config_files.h"
#include "runners/experiment/installed_runs.h"
#include "tests/catch.h"
#include "tests/runners/python_scripts.h"

using namespace innerloop;

namespace {

struct PublishedRun {
  std::string name, config, sha256;
};

std::vector<PublishedRun> published_runs() {
  std::istringstream in(read_file(data_directory() / "scripts/models.csv"));
  std::vector<PublishedRun> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream cells(line);
    PublishedRun run;
    std::getline(cells, run.name, ',');
    std::getline(cells, run.config, ',');
    std::getline(cells, run.sha256, ',');
    out.push_back(run);
  }
  return out;
}

}  // namespace

TEST_CASE("the page and the table of published runs name the bytes that are installed", "[export]") {
  const std::string page = read_file(data_directory() / "docs/models.md");
  const auto runs = published_runs();
  const TemporaryFolder folder;
  CHECK(runs.size() >= installed_runs().size());
  for (const auto& run : runs) {
    INFO(run.name);
    CHECK(run.sha256.size() == 64);
    CHECK_THAT(page, contains(concat("`", run.name, "`")) && contains(run.sha256));
    CHECK_NOTHROW(find_config(run.config));
  }
  for (const auto& installed : installed_runs()) {
    INFO(installed.name);
    const auto file = installed_runs_folder() / installed.name / "checkpoints/last.safetensors";
    const std::string bytes = read_file(file), tensors = folder / "tensors";
    uint64_t header = 0;
    REQUIRE(bytes.size() > sizeof header);
    std::memcpy(&header, bytes.data(), sizeof header);
    REQUIRE(header < bytes.size() - sizeof header);
    write_file(tensors, bytes.substr(sizeof header + header));
    const auto sum = run_command(concat("sha256sum ", shell_word(tensors)));
    REQUIRE(sum.code == 0);
    const auto row = std::find_if(runs.begin(), runs.end(), [&](const PublishedRun& run) {
      return run.config == concat("@", installed.name);
    });
    REQUIRE(row != runs.end());
    CHECK(sum.output.substr(0, 64) == row->sha256);
  }
}
