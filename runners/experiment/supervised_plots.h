// Pictures of an evaluation on the supervised side.
#pragma once

#include <filesystem>

#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {

// Accuracy or mean squared error by gradient step with its 95 % interval; published numbers as points (and as
// a level if there is one), chance and nearest neighbour on pixels as levels.
void plot_steps(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                const SupervisedResult& result, const std::filesystem::path& png);

// Regression of one input, as the MAML paper's figure 2: truth, support points, and the prediction before and
// after gradient steps, for the first evaluation tasks.
void plot_regression(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                     const std::filesystem::path& png);

}  // namespace innerloop
