// Files of suites: what is read is planned, or refused by an error that can be read.
#include <algorithm>

#include "runners/suites/suite_file.h"
#include "runners/suites/suite_plan.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Suite suite;
  if (!taken([&] { suite = parse_suite(text_of(data, size), "it.ini"); })) return 0;
  claim(!suite.runs.empty(), "a suite without a run was taken");
  // The plan grows with seeds, values and draws; its size is no finding here.
  suite.settings.seeds.resize(1);
  suite.settings.draws = std::min<int64_t>(suite.settings.draws, 3);
  const bool wide = std::any_of(suite.runs.begin(), suite.runs.end(),
                                [](const SuiteEntry& run) { return run.space.size() > 2; });
  if (size > 2000 || wide) return 0;
  taken([&] {
    const auto plan = plan_suite(suite, {.directory = "out"});
    for (const auto& run : plan.runs)
      claim(run.id.find('/') == std::string::npos, "a run's name is a path: " + run.id);
  });
  return 0;
}
