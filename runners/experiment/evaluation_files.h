// Results of evaluations side by side, in the run's folder of results, DIR: the newest as DIR/COMMAND.json,
// and each for good as DIR/evaluations/COMMAND_WHAT.json, WHAT being what determines it:
//
//   adapt_tasks=40_steps=3_seed=1_after=500.json
//   adapt_tasks=600_steps=10_seed=1_after=60000_inner.step_size=0.05_shots=5.json
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "runners/experiment/config.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

// What an evaluation does in its own way, by key: those of evaluation.* that do not have their default, but
// for tasks, steps and seed, and those that determine a training and have another value than the checkpoint
// was trained with (its training_text).
using Overrides = std::map<std::string, std::string>;
Overrides find_overrides(const ExperimentConfig& config, const std::string& trained_with);

// The name of its file without ".json". `after`: meta-iterations that the meta-parameters were trained for.
// Characters that names of files should not have become '-', and a long name is cut; a hash then tells it
// from others.
std::string evaluation_name(const std::string& command, const ExperimentConfig& config,
                            const Overrides& overrides, int64_t after);

// Writes both files, each whole or not at all, and says so on the terminal.
void keep_evaluation(const RunDirectory& directory, const std::string& command, const std::string& name,
                     const std::string& json);

}  // namespace innerloop
