// Rapid learning or feature reuse (Raghu, Raghu, Bengio and Vinyals, ICLR 2020, section 3): which layers have
// to adapt to a held-out task, and how much adaptation changes what each of them says of the task's query
// samples.
//
//   freezing     layers 1 .. l stay what they were before the first inner step, the others adapt (their Table
//                1); nothing is trained anew
//   similarity   every layer's representation of the query samples before and after adaptation, compared by
//                linear CKA and mean CCA (their Figure 2); of convolutions channels are neurons
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "meta/supervised/supervised_meta_learner.h"

namespace innerloop {

// Values of each task; NaN where a similarity is not defined (representation_similarity.h).
struct LayerChange {
  std::string name;   // "conv1", of a block its first and last: "conv1-conv4"
  bool head = false;  // the last linear layer, whose representation is the output
  std::vector<double> cka, cca;
  std::vector<double> moved;  // |w_K - w_0| / |w_0| of its entries together, NaN where they are all zero
};

struct RepresentationStudy {
  std::vector<LayerChange> layers;  // in the order of the network, the head last
  // Accuracy or mean squared error of each task: before adaptation, and after the last step with layers 1 ..
  // l held, l = 0, 1, ...
  std::vector<double> before;
  std::vector<std::vector<double>> held;
};

// UsageError for an algorithm without gradient steps and for an evaluation of none.
RepresentationStudy study_representation(const SupervisedMetaLearner& learner,
                                         const SupervisedEvaluationConfig& evaluation,
                                         const std::function<void(int64_t done)>& progress = {});

// UsageError, saying `why`, unless held-out tasks are adapted to by gradient steps (prototypical networks and
// NIL do without).
void require_gradient_steps(const SupervisedMetaLearner& learner,
                            const SupervisedEvaluationConfig& evaluation, const std::string& why);

}  // namespace innerloop
