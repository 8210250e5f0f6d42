// A budget of CPU time for every run, so that algorithms are compared at equal cost: how many meta-iterations
// it buys is measured once for each name, written down, and the same for all its seeds.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "runners/suites/suite_jobs.h"
#include "runners/suites/suite_record.h"

namespace innerloop {

// What was measured: so many meta-iterations took so many seconds of CPU (user time, all threads; start,
// validation and evaluation are not in them).
struct MeasuredSpeed {
  int64_t iterations = 0;
  double cpu_seconds = 0;

  // That so many minutes buy; at least 10.
  int64_t within(double minutes) const;
};

// Nothing if it was not measured yet. Error if the file is damaged.
std::optional<MeasuredSpeed> read_speed(const SuiteFolder& folder, const std::string& name);

// The job that measures it: trainings of `run` in a folder that is gone afterwards, of 5 iterations and of
// more and more until they take 2 seconds of CPU longer. CPU time, for what others do on the machine does not
// count in it.
std::unique_ptr<SuiteJob> measuring_job(const SuiteRun& run, const SuiteFolder& folder);

}  // namespace innerloop
