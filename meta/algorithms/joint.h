// Joint training, the papers' "pretrained" baseline (Finn et al. 2017, sections 5.1 and 5.3; Ravi and
// Larochelle 2017, section 5.1): one network or policy for the mixture of tasks, without inner steps; a
// held-out task then fine-tunes it.
//
// A regression network and a policy are trained on the tasks' query data. A classifier, whose labels mean
// another class in every task, is trained on images of all training classes at once; a held-out task starts
// from its weights with a last layer of zeros in the place of the trained one.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm joint();

}  // namespace innerloop
