// What online learning found: by round how well each learner ended (proficiency) and how many samples of the
// task it needed until the level was reached (efficiency; Finn et al. 2019, section 5). A level that was not
// reached counts as all samples of the round.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runners/experiment/online_job.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

struct OnlineRound {
  double proficiency = 0;  // accuracy or mean squared error once all data have come
  int64_t samples = 0;     // that had come when the level was first reached
  bool reached = false;    // at all
};

// metrics: after each batch, `batches` a round, of whole rounds; `samples`: of one batch.
std::vector<OnlineRound> online_rounds(const std::vector<double>& metrics, int64_t batches, int64_t samples,
                                       double level, bool accuracy);

// Prints the table, and writes online.json, online.csv and online.png into the run directory, each whole or
// not at all. Of a job that has done all its rounds.
void report_online(std::ostream& out, const OnlineJob& job, const ExperimentConfig& config,
                   const RunDirectory& directory);

}  // namespace innerloop
