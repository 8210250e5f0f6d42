// ONNX models of what a run learned.
//
//   network, classification   x [N, ...] -> logits, probabilities [N, ways]
//   network, regression       x [N, ...] -> y [N, outputs]
//   network of features       x [N, ...] -> features [N, F]: of metric methods, whose classifier is made of a
//                             task's support set
//   policy, continuous        observation [N, O] -> mean [N, A]; the standard deviation is in the metadata
//   policy, discrete          observation [N, O] -> logits, probabilities [N, choices]
//
// With per_task_running statistics a network has a second input, support [S, ...], unless it was adapted to a
// support set whose statistics are known. A model holds one pass of
// one network: where an algorithm predicts by more than that (several particles, cosines of support samples),
// it is refused and not approximated, except for the features of metric methods, which say what they are.
#pragma once

#include <string>

#include "meta/policy/policy_learner.h"
#include "meta/supervised/supervised_meta_learner.h"
#include "runners/experiment/config.h"
#include "runners/experiment/export_about.h"

namespace innerloop {

// The entries that one pass of the network, or the policy, reads before a task is seen, [1, ...].
Params exported_start(const SupervisedMetaLearner& learner, const ExperimentConfig& config);
Params exported_start(PolicyLearner& learner, const ExperimentConfig& config);

// Error, with what to do instead, unless what the algorithm predicts is one pass of its network, or it
// compares features; tried on a test task, for whatever algorithm. `adapted`: the entries are those of a
// task, so that it does not matter whether all tasks start alike.
void require_one_pass(const SupervisedMetaLearner& learner, const ExperimentConfig& config, bool adapted);

// The bytes of the file. `params`: entries as exported_start gives them. `statistics`: of an adaptation,
// which normalise; none where those are the run's averages or the samples' own. `about` becomes its metadata,
// with what is said of the output added.
std::string network_onnx(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                         const Params& params, const Params& statistics, About about);
std::string policy_onnx(const PolicyLearner& learner, const ExperimentConfig& config, const Params& params,
                        About about);

}  // namespace innerloop
