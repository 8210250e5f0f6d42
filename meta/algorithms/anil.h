// ANIL, almost no inner loop (Raghu, Raghu, Bengio and Vinyals, ICLR 2020, section 4): the last layer alone
// adapts to a task, in training and on held-out tasks; the outer loop learns all.
//
//   f = body(x);   w_{k+1} = w_k - alpha grad_w L_support(w_k f);   theta <- theta - beta grad L_query(w_K f)
//
// w is the last layer, its weight and bias; of a policy it is the mean's. The outer gradient is exact: it
// reaches the body through the query set's features and, through w_K, through the support set's. (First
// order: through the query set's alone.)
//
// On data sets body and features are the same at every inner step. They are computed once for a pass over a
// task, the steps run on them, and one pullback brings the cotangents of all steps back through the body:
// adapting costs a pass over the support set, however many the steps. Same mathematics as algorithm maml with
// inner.adapt = head.
//
// NIL (section 5.1) trains so and has no last layer on held-out tasks: the score of class n for a query x is
//
//   sum over the support samples i of class n of c_i,   c_i = cos(f(x), f(x_i))
//
// (test = nil). Whether the paper puts a softmax over i on the c_i, as matching networks do, its text does
// not say: test = nil_softmax does.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm anil();

}  // namespace innerloop
