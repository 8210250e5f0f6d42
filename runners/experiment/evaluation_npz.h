// An evaluation as arrays for Python (runners/experiment/npz.h). `about` is a JSON object of texts.
#pragma once

#include <filesystem>

#include "runners/experiment/config.h"
#include "runners/experiment/export_about.h"
#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {

// Of a data set: accuracy or mse [tasks, K + 1] (float64) after 0 .. K gradient steps; of classification also
// predicted [tasks, queries] (labels after the last step), truth [queries], and where the data set tells
// them, classes [tasks, ways] (places in class_names, by label) and class_names.
void write_supervised_npz(const std::filesystem::path& file, const SupervisedMetaLearner& learner,
                          const ExperimentConfig& config, const TaskOutcomes& outcomes, const About& about);

// Of a policy: task [tasks, parameters], returns [tasks, K + 1], success_rates likewise where success is
// defined; and for each step k the trajectories step_K_observations [tasks, N, H, O], step_K_actions
// [tasks, N, H, A], step_K_rewards [tasks, N, H] (float32, zeros behind a trajectory's end), step_K_lengths
// [tasks, N] and step_K_success [tasks, N]. `result` must hold its trajectories, which are given back one
// step at a time.
void write_policy_npz(const std::filesystem::path& file, const EnvironmentSpec& environment,
                      PolicyEvaluation result, const About& about);

}  // namespace innerloop
