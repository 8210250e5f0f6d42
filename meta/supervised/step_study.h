// How many inner steps of which size help on held-out tasks (Ye and Chao, ICLR 2022, section 4), whatever
// number and size was trained with.
#pragma once

#include <functional>
#include <vector>

#include "meta/supervised/supervised_meta_learner.h"

namespace innerloop {

// [i][task][k]: accuracy or mean squared error after k = 0 .. evaluation.steps steps, each of them times
// multiples[i] (of the trained size, or of what a learned rule does); NaN from where a task's loss or output
// is not finite. UsageError for an algorithm without gradient steps, an evaluation of none, and multiples
// that are not positive.
std::vector<TaskMetrics> study_steps(const SupervisedMetaLearner& learner,
                                     const SupervisedEvaluationConfig& evaluation,
                                     const std::vector<double>& multiples,
                                     const std::function<void(int64_t done)>& progress = {});

}  // namespace innerloop
