// Matching networks with fully conditional embeddings (Vinyals et al., NeurIPS 2016, section 2.1.2 and
// appendix A): matching networks (meta/algorithms/matching.h) on features that know the whole support set S.
// f' = g' is the network without its last layer.
//
//   g(x_i, S) = h>_i + h<_i + g'(x_i)     h>, h<: LSTMs over g'(x_1) .. g'(x_n), forward and backward
//   f(q, S)   = h_K,   (h^_k, c_k) = LSTM(f'(q), [h_{k-1}, r_{k-1}], c_{k-1}),   h_k = h^_k + f'(q),
//               r_k = sum_i a_i g(x_i, S),   a = softmax_i(h_k . g(x_i, S)),   h_0 = c_0 = 0
//
// so that r_0 is the mean of the g(x_i, S). All LSTMs are torch.nn.LSTM's with one bias and as many hidden
// units as there are features; their weights are meta-parameters ("matching_fce.forward.input_weight" and so
// on). S has the order in which it is drawn, class after class; g depends on it.
//
// The authors published no code. What Ravi and Larochelle's (ICLR 2017; twitter-research/meta-learning-lstm,
// model/baselines/FCE-embedding.lua and matching-net.lua) does otherwise are keys:
//
//   scores = sum       sums of cosines as logits, as in matching.h
//   backward = as_run  the i-th output of the backward LSTM, which belongs to x_{n-i+1}, is added to x_i
//   over = query       g embeds the queries as one sequence and f the support samples, which read from them:
//                      the code hands the two sets over in this order, so that a query's scores depend on
//                      the others
//   initial = zero     LSTMs begin with zeros, as its RecurrentLSTMNetwork.lua has them; otherwise with
//                      U(-1 / sqrt(F), 1 / sqrt(F)), as torch.nn.LSTM
//
// Left out of that code: dropout, running statistics of batch normalisation at test apart for the two sets,
// and the clipping of the attention LSTM's gradient alone to a norm of 0.25 (the bidirectional LSTM's looks
// for an entry that does not exist; meta.clip clips entries of the whole). K = 3 is that code's. The
// appendix was not read in the paper's own text but in that code and in quotations of its equations.
#pragma once

#include "meta/algorithm.h"
#include "meta/feature_classifier.h"

namespace innerloop {

Algorithm matching_fce();

// An LSTM's cell: (i, f, g, o) = W x + U h + b, c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o)
// tanh(c'). x [T, N, inputs], h and c [T, N, H]; weights: "input_weight" W [T, 4 H, inputs], "hidden_weight"
// U [T, 4 H, H], "bias" b [T, 4 H].
struct LstmState {
  torch::Tensor h, c;
};
LstmState lstm_cell(const Params& weights, const torch::Tensor& x, const LstmState& state);

// g of x [T, N, F], in the order of dimension 1; `aligned`: backward outputs at their own samples.
torch::Tensor fce_set(const torch::Tensor& x, const Params& forward, const Params& backward, bool aligned);

// f of x [T, N, F] that reads `steps` times from the set g [T, M, F].
torch::Tensor fce_attention(const torch::Tensor& x, const torch::Tensor& g, const Params& weights,
                            int64_t steps);

}  // namespace innerloop
