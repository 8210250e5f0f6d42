// The JSON in which `analyse` keeps a study.
#pragma once

#include <string>

#include "runners/experiment/analysis.h"
#include "runners/experiment/evaluation_files.h"

namespace innerloop {

// {study, dataset, data_digest, algorithm, ways, shots, queries, tasks, steps (gradient steps), seed,
// overrides:
//  {KEY: text}, metric: "accuracy"|"mse", loss_reduction, effective_inner_step_size|null, batch_norm,
//  protocol, meta_iterations, selected_iteration, RESULT}, where VALUES is {mean|null, ci95|null, tasks (for
//  which it is defined), per_task: [number|null]} and RESULT that of the study:
//   representation   before: VALUES, held: [{layers (1 .. N), METRIC: VALUES, minus_none: VALUES}],
//                    layers: [{name, head, cka: VALUES, cca: VALUES, moved: VALUES}]
//   permutations     orders, best, mean, worst, as_drawn, best_minus_worst, std: VALUES,
//                    best_is: "an oracle: chosen by query labels", per_order: [task][order]
//   steps            trained_steps, measured_on: "test tasks: not a selection",
//                    step_sizes: [{multiple, effective|null, steps: [{step, diverged (tasks), METRIC:
//                    VALUES}]}]; mean and ci95 null if a task diverged
//   linear_probe     classes, shots and queries (images of a class to train and to test on), features, l2,
//                    accuracy, train_accuracy: VALUES, whose tasks are splits; no ways and no steps
std::string analysis_json(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                          const SelectedCheckpoint& selected, const Overrides& overrides,
                          const Analysis& analysis);

}  // namespace innerloop
