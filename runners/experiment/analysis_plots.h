// The picture of a study.
#pragma once

#include <filesystem>

#include "runners/experiment/analysis.h"

namespace innerloop {

//   representation   similarity by layer; accuracy or error by layers held
//   permutations     the best, mean and worst order of tasks as histograms; accuracy from the worst order to
//                    the best
//   steps            accuracy or error by gradient step, a curve for each step size
//   linear_probe     accuracy of each split, on the images trained and tested on
void plot_analysis(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                   const Analysis& analysis, const std::filesystem::path& png);

}  // namespace innerloop
