// The commands that make a run again.
#pragma once

#include <string>
#include <vector>

#include "runners/reports/run_summary.h"

namespace innerloop {

// The training, with the keys that do not have their default as flags, or, where these would not give the
// very configuration, from the run's own config.ini; then the evaluation, if `adapt` made it.
std::vector<std::string> commands_of(const RunSummary& run);

}  // namespace innerloop
