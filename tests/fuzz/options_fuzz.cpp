// Arguments of a command, a line each; what they set becomes a configuration. Help that they ask for is
// printed.
#include <sstream>

#include "runners/command_line.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

namespace {

const CommandDescription kCommand{.name = "train",
                                  .summary = "A command with every kind of option.",
                                  .options = {{"config", "FILE", "a first word sets it"},
                                              {"resume", "", "a switch"},
                                              {"steps", "K,K,...", "numbers"},
                                              {"video-every", "N", "another name of a key", "video.every"}},
                                  .sections = {"*"},
                                  .word = "config"};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostWords = 64;
  const auto words = Input(data, size).parts('\n', kMostWords);
  CommandLine line;
  if (!taken([&] { line = parse_command_line(kCommand, words); })) return 0;
  if (line.help) {
    std::ostringstream out;
    taken([&] { print_help(out, kCommand, line); });
    return 0;
  }
  if (line.has("steps")) taken([&] { parse_integers("steps", line.value("steps"), 0, 1000); });
  ExperimentConfig config;
  if (!taken([&] { config = make_config({}, line.settings); })) return 0;
  const std::string written = format_config(config);
  claim(format_config(make_config(parse_settings(written, "written.ini"))) == written,
        "the configuration that flags set reads as another one:\n" + written);
  return 0;
}
