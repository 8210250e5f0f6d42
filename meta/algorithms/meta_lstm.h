// The meta-learner LSTM (Ravi and Larochelle, "Optimization as a model for few-shot learning", ICLR 2017,
// section 3; code: twitter/meta-learning-lstm): an LSTM whose cell state is the learner's parameters takes
// the inner steps, one LSTM for every coordinate, all with the same weights. For coordinate theta with
// gradient g and loss L:
//
//   x = (prep(L), prep(g)),   prep(v) = (log|v| / p, sign v) if |v| >= e^-p, else (-1, e^p v),   p = 10 (app.
//   A) h_{k+1}, c_{k+1} = LSTM(x; h_k, c_k)                                     the first layer, 20 units,
//   from zero f_{k+1} = (h_{k+1}, theta_k, f_k) . w_F + b_F,   i_{k+1} = (h_{k+1}, theta_k, i_k) . w_I + b_I
//   f_0 = i_0 = 0 theta_{k+1} = sigma(f_{k+1}) theta_k - sigma(i_{k+1}) g (eq. 2)
//
// The gates see f and i of the step before as they are ahead of the sigmoid, as in the code. theta_0, the
// initial cell state, is learned. L and g count as constants (section 3.2), so the meta-gradient is of first
// order by design; how theta passes from step to step is differentiated.
//
// Meta-parameters beside theta_0: "inner.lstm.weight" [1, 4 + h, 4 h] (rows x then h, columns input, forget,
// output gate, candidate) and ".bias" [1, 4 h], "inner.forget.*" and "inner.input.*" [1, h + 2] and [1, 1].
// All start U(-.01, .01), b_F U(4, 5) and b_I U(-5, -4): long memory, short steps. The rule has no step size:
// inner.step_size is fixed at 1.
//
//   divide_gradient   g is divided by the number of support samples, once more after the loss's mean: the
//                     official code does, the paper does not.
//
// Also there and not here: running statistics of normalisation from the support batches in evaluation (here
// as network.batch_norm says). Support batches are the whole support set, as in the code's configurations.
#pragma once

#include <cstdint>
#include <memory>

#include "meta/algorithm.h"
#include "meta/update_rule.h"

namespace innerloop {

Algorithm meta_lstm();

// [...] -> [..., 2].
torch::Tensor preprocessed(const torch::Tensor& v);

// The inner step alone; `divisor` divides the gradient.
std::shared_ptr<const UpdateRule> lstm_step(int64_t hidden, double divisor);

}  // namespace innerloop
