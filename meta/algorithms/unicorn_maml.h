// UNICORN-MAML (Ye and Chao, "How to train your MAML to excel in few-shot classification", ICLR 2022, section
// 5) and the zeroing trick (Kao, Chiu and Chen, ICLR 2022, section 2.4).
//
//   phi_0: every class's row of the last layer starts from one learned vector (head = shared), or from zero
//   (head = zero), so that the initialisation knows no order of the classes.
//
// With softmax cross-entropy and an adapted bias the two are the same: adding one vector to all rows moves no
// prediction and no gradient, and the gradient in the shared vector, the sum over the rows', is zero in exact
// arithmetic.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm unicorn_maml();

}  // namespace innerloop
