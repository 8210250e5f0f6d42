// How well a method that reads a task's samples one after another knows a class when it is presented for the
// first, second, ... time (Santoro et al., ICML 2016, table 1 and section 4.1).
#pragma once

#include <vector>

#include "meta/supervised/supervised_meta_learner.h"

namespace innerloop {

// A second base of such a method, beside Method.
class ReadsSequences {
 public:
  virtual ~ReadsSequences() = default;

  // All samples of the tasks, support and query, as one sequence each, in the order that training has them at
  // this moment. Outside any graph.
  struct Reading {
    torch::Tensor scores;  // [steps, T, ways]: said before the sample's label is seen
    torch::Tensor labels;  // [steps, T]
  };
  virtual Reading read(const Params& meta, const EpisodeTask& tasks, const Moment& now) const = 0;
};

// Whether step by step the label was the likeliest, for the k-th step of each of `ways` classes, mean over
// classes: [presentations]. Of one task: scores [steps, ways], labels [steps] with as many steps of each
// class.
std::vector<double> accuracy_by_presentation(const torch::Tensor& scores, const torch::Tensor& labels,
                                             int64_t ways);

// Row i: evaluation task i; column k: accuracy at presentation k + 1 of shots + queries. Empty for a method
// that does not read sequences.
TaskMetrics presentation_accuracy(const SupervisedMetaLearner& learner,
                                  const SupervisedEvaluationConfig& evaluation);

}  // namespace innerloop
