// Configuration files: what is read becomes a whole configuration, which is written and read again to the
// same one.
#include "runners/experiment/config.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ExperimentConfig config;
  if (!taken([&] { config = make_config(parse_settings(text_of(data, size), "it.ini")); })) return 0;
  const std::string written = format_config(config);
  const auto again = make_config(parse_settings(written, "written.ini"));
  claim(format_config(again) == written, "a written configuration reads as another one:\n" + written);
  claim(!first_difference(training_text(config), training_text(again)), "a training differs from itself");
  return 0;
}
