// The course of a training run as a picture in its directory.
#pragma once

#include "runners/experiment/config.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

// progress.png, of progress.csv and validation.csv. False, and no file, if there is nothing to draw yet.
bool draw_progress(const ExperimentConfig& config, const RunDirectory& directory);

// The same at the end of a training, which does not fail for a picture: what went wrong is a line in log.txt.
void draw_progress_if_possible(const ExperimentConfig& config, const RunDirectory& directory);

}  // namespace innerloop
