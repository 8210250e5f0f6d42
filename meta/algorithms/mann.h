// Memory-augmented neural networks with least recently used access (Santoro, Bartunov, Botvinick, Wierstra
// and Lillicrap, ICML 2016, sections 2 to 4). There is no official code; the port is
// tristandeleu/ntm-one-shot, mann/model.py.
//
// A task is a sequence. Step t reads an image's pixels x_t and the label of the step before, y_{t-1} one-hot
// (zeros at first), and says p_t = p(y_t | x_t, y_{t-1}, ...). R reads, memory M of `slots` rows:
//
//   h_t, c_t = LSTM((x_t, y_{t-1}, r_{t-1}), (h_{t-1}, c_{t-1}))        k_t = tanh(W_k h_t + b_k), R of them
//   w^lu_{t-1}(i) = 1 for the R rows of least usage w^u_{t-1}, 0 for others
//   w^w_t = sigma(alpha) w^r_{t-1} + (1 - sigma(alpha)) w^lu_{t-1}      of each read
//   M_t(i) = M_{t-1}(i) + w^w_t(i) k_t, summed over reads, after the row of least usage was set to zero
//   w^r_t = softmax_i cos(k_t, M_t(i)),   r_t = sum_i w^r_t(i) M_t(i)
//   w^u_t = gamma w^u_{t-1} + w^r_t + w^w_t, summed over reads;         p_t = softmax(W_o (h_t, r_t) + b_o)
//   loss  = -sum_t log p_t(y_t), over all steps of the sequence
//
// In training a task's support and query samples are one sequence in random order. Evaluation reads sequences
// of held-out tasks in the same way and prints the accuracy at the first, second, ... presentation of a
// class, as the paper does ("1-shot" of later tables is the second). Its accuracy on query samples, beside
// other methods, has the support samples first, in random order, then one query sample: each of them is the
// next step of that same sequence, and none sees another. That is the (shots + 1)-th presentation of a class
// where all others have been presented as often.
//
// Only the pixels are read: the configured network is not used. Ways are part of what is learned.
//
// Where paper and port differ, or the paper is silent:
//   write = key | vector         what is written: k_t (paper), or tanh(W_a h_t + b_a) (port)
//   gate = learned | controller  alpha is one learned number (paper), or W_s h_t + b_s of each read (port)
//   least_used = all | one_each  every read writes to all R rows of least usage (paper, eq. of w^lu), or the
//                                i-th read to the i-th of them (port)
//   key_strength                 beta, times the cosines: neither text has one (1). Without it a read of 128
//   rows
//                                is nearly their mean
//   label_scale                  y_{t-1} is so many times one-hot (1). A label is one number beside hundreds
//   of
//                                pixels, and the LSTM is slow to hear it
//   read = after_write | before_write   r_t and w^r_t of M_t (the paper's subscripts; port), or of M_{t-1}
// As in the port: M_0 = 1e-6, w^r_0 and w^u_0 one-hot at row 0, r_0 = h_0 = c_0 = 0, tanh of the keys,
// weights xavier-uniform; rows of equal usage count in their order, where the paper's "not above the R-th
// smallest" would take more than R. The paper's text was not at hand: its equations are from Huisman et al.
// 2021 (A survey of deep meta-learning, section 4.3) and from memory, its sizes and results from memory.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm mann();

}  // namespace innerloop
