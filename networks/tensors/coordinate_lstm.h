// An LSTM that takes a gradient step in every coordinate at once (Ravi and Larochelle 2017, section 3),
// fused: in operations on tensors of [coordinates, 4 hidden] most of the time goes into memory.
//
// For a coordinate with theta, gradient g, inputs x = (prep(L), prep(g)) and the state (h, c, F, I):
//
//   (i, f, o, u) = (x, h) W + b;   c' = sigmoid(f) c + sigmoid(i) tanh(u);   h' = sigmoid(o) tanh(c')
//   F' = w_F (h', theta, F) + b_F;   I' = w_I (h', theta, I) + b_I
//   theta' = sigmoid(F') theta - scale sigmoid(I') g
//
// Weights are those of all tasks, [1, ...]. Coordinates [T, P], hidden units [T, P, H]. float32 and float64
// on the CPU, contiguous.
#pragma once

#include "networks/tensors/tensor.h"

namespace innerloop {

struct CoordinateLstm {
  torch::Tensor weight, bias;                // [1, 4 + H, 4 H], [1, 4 H]
  torch::Tensor forget_weight, forget_bias;  // [1, H + 2], [1, 1]
  torch::Tensor input_weight, input_bias;

  struct State {
    torch::Tensor hidden, cell;   // [T, P, H]
    torch::Tensor forget, input;  // [T, P]
  };
  struct In {
    torch::Tensor theta, gradient;  // [T, P]
    torch::Tensor inputs;           // [T, P, 4]
    State state;
    double scale;
  };
  struct Out {
    torch::Tensor theta;
    State state;
  };
  Out step(const In& in) const;

  // Cotangents on Out, undefined where there are none -> those on the weights, theta and the state. What
  // depends on the gradient and on x counts as constant.
  struct Cotangents;
  Cotangents pullback(const In& in, const Out& cotangent) const;
};

struct CoordinateLstm::Cotangents {
  CoordinateLstm weights;
  torch::Tensor theta;
  State state;
};

}  // namespace innerloop
