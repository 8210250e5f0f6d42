// Does what a plan says: runs that are done are left as they are, the others are started or gone on with.
#pragma once

#include <string>
#include <vector>

#include "runners/suites/suite_display.h"
#include "runners/suites/suite_plan.h"
#include "runners/suites/suite_record.h"

namespace innerloop {

enum class RunState { kDone, kDoneBefore, kFailed, kStopped, kNotDone, kElsewhere };
std::string state_name(
    RunState state);  // "done", "done before", "failed", "stopped", "not done", "other part"

struct RunOutcome {
  RunState state = RunState::kNotDone;
  std::string error = {};  // of a failed one
  double seconds = 0;
  std::optional<RunResult> result = {};  // of a done one
};

struct SuiteOutcome {
  std::vector<RunOutcome> runs;  // as those of the plan
  int signal = 0;                // that stopped it
};

// How each run of the plan stands on the disk, before anything is done: kDoneBefore, or kNotDone (kElsewhere
// if it is another part's), with `notes` on what is done again or was done by another version. With a budget
// of minutes that was measured the plan's runs get their iterations.
SuiteOutcome look_at_disk(SuitePlan& plan, std::vector<std::string>& notes);

// Makes the folders, writes suite.ini (`source`), and works. `outcome` is what look_at_disk found.
void carry_out(SuitePlan& plan, const std::string& source, SuiteDisplay& display, SuiteOutcome& outcome);

// Error unless DIR is the folder of a suite, empty or not there.
void require_suite_folder(const std::filesystem::path& directory);

}  // namespace innerloop
