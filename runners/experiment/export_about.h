// What a file that leaves innerloop says of itself: metadata_props of ONNX, __metadata__ of safetensors,
// `about` of NPZ. Texts under plain names; what is a list or a number is JSON.
#pragma once

#include <map>
#include <string>

#include "meta/policy/policy_learner.h"
#include "meta/supervised/supervised_meta_learner.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

using About = std::map<std::string, std::string>;

// innerloop (its version), run (the folder's name), algorithm, paper, seed, meta_iterations; environment, or
// dataset and (where files are read) data_digest.
About about_run(const TrainedRun& run);

// Of a data set: input ("[N, 1, 28, 28]: samples, channels, height, width"), input_shape, preprocessing (the
// data set's protocol: size, resize method, ink or grey levels, normalisation), dataset.KEY (its keys but for
// the path), ways, batch_norm (the mode, and whose statistics that are), labels (what class a label is).
About about_samples(const SupervisedMetaLearner& learner, const ExperimentConfig& config);

// Of an environment: input (names of the observation's entries), input_shape, actions, action_names, horizon.
About about_observations(const EnvironmentSpec& environment, const EnvironmentConfig& config);

// evaluation.KEY: how the tasks of an evaluation are drawn and adapted to.
About about_evaluation(const ExperimentConfig& config);

}  // namespace innerloop
