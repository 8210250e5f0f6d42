// The linear probe of what a network has learned (as contrastive learning is judged, Chen et al. 2020 and Ni
// et al. 2022): its features are held, and a linear classifier of all test classes is fitted to one part of
// their images and tested on the other.
//
// Those papers' classes are the ones that were trained on. Here training and test have different classes, so
// that both parts are of the test split's: each class is split in two at random, `evaluation.tasks` times
// over. Features are those of the network with its parameters before a task is seen (Method::initialisation),
// each standardised by the mean and deviation of the training part; the classifier is multinomial logistic
// regression to its optimum (networks/tensors/softmax_regression.h).
#pragma once

#include <functional>
#include <vector>

#include "meta/supervised/supervised_meta_learner.h"

namespace innerloop {

struct LinearProbe {
  int64_t classes = 0, train = 0, test = 0, features = 0;  // train, test: images of a class
  std::vector<double> train_accuracy, accuracy;            // of each split
};

// The classes of the test split (evaluation.split), evaluation.shots images of each to train on and
// evaluation.queries to test on; 0: halves of the images of the smallest class. evaluation.ways and steps are
// not looked at. UsageError where the data set has no classes, or too few images. `progress(done)` after each
// split.
LinearProbe study_linear_probe(const SupervisedMetaLearner& learner,
                               const SupervisedEvaluationConfig& evaluation, double l2,
                               const std::function<void(int64_t done)>& progress = {});

}  // namespace innerloop
