// How much the accuracy on a task depends on which class is called 0, which 1, ... (Ye and Chao, ICLR 2022,
// section 4): the head of each label is learned, but a task's classes are labelled in an arbitrary order.
// Every held-out task is adapted to anew for each order of its classes, support and query set alike.
//
// The best order of a task is chosen by its query labels: an oracle, no method.
#pragma once

#include <functional>
#include <vector>

#include "meta/supervised/supervised_meta_learner.h"

namespace innerloop {

constexpr int64_t kMostWaysInAllOrders = 5;  // 120 orders
constexpr int64_t kOrdersOfMoreWays = 120;   // how many are drawn where there are more ways

// Orders of `ways` classes, each once: the order as drawn first; then all others in lexicographic order if
// `count` is ways! or more, else others drawn for task `task` from streams of its own.
std::vector<std::vector<int64_t>> class_orders(int64_t ways, int64_t count, uint64_t seed, int64_t task);

// ways!, or INT64_MAX where it is more.
int64_t number_of_orders(int64_t ways);

// Episodes (T = 1) whose label l is the class that was labelled order[l].
Episodes relabelled(const Episodes& episode, const std::vector<int64_t>& order);

// Row i: task i; column j: accuracy after the last step with the j-th of class_orders. `orders` 0: all of up
// to five ways, kOrdersOfMoreWays of more. UsageError for a data set without classes.
TaskMetrics study_permutations(const SupervisedMetaLearner& learner,
                               const SupervisedEvaluationConfig& evaluation, int64_t orders = 0,
                               const std::function<void(int64_t done)>& progress = {});

// Of each task, over its orders.
struct OrderSpread {
  std::vector<double> as_drawn;  // of the first order, as `adapt` has it
  std::vector<double> best, mean, worst;
  std::vector<double> std;  // over all of a task's orders, none of which is a sample: divided by their number
};
OrderSpread spread_of(const TaskMetrics& accuracies);

}  // namespace innerloop
