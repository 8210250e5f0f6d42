// The JSON in which `bench` and `adapt` keep an evaluation on the supervised side.
#pragma once

#include <string>

#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {

// {dataset, data_digest ("" where no files are read), ways, shots, queries, tasks, seed, overrides: {KEY:
// text},
//  steps: [{step, accuracy_mean or mse_mean, ci95|null}],
//  published: [{step, accuracy_mean or mse_mean, interval|null, interval_over, source, protocol}]|null,
//  protocol_differences: [..]|null, milliseconds_per_iteration|null, algorithm,
//  order: "first"|"second"|"none", loss_reduction, effective_inner_step_size, batch_norm, protocol,
//  meta_iterations, selected_iteration,
//  baselines: {nearest_neighbour_pixels, nearest_neighbour_features: {accuracy_mean, ci95|null}}|null,
//  classes: [{name, queries, accuracy, taken_for: {NAME: queries}}],
//  per_task: [{classes: [NAME of label 0, ..], accuracy or mse: [one for each step]}]}
// `classes` (after the last step, over all tasks; the confusion of classes) and the names of per_task are
// there for classification whose data set tells its tasks' classes.
std::string supervised_json(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                            const SupervisedResult& result);

}  // namespace innerloop
