// What `train` and `bench` are asked to do, from their arguments.
#pragma once

#include <string>

#include "runners/command_line.h"
#include "runners/experiment/training.h"

namespace innerloop {

// From --config, --run-dir, --resume and configuration keys of the command line. UsageError as make_config.
TrainingRequest read_training_request(const CommandLine& line, const std::string& command, Side otherwise);

// UsageError if the configuration is one of online learning, which `innerloop online` runs.
void refuse_online(const TrainingRequest& request);

}  // namespace innerloop
