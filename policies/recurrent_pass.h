// A recurrent cell along many trajectories at once, and back: the arithmetic alone, for float and double. No
// torch.
//
//   gru   r = s(W_ir x + b_ir + W_hr h + b_hr),  z = s(W_iz x + b_iz + W_hz h + b_hz)
//         n = tanh(W_in x + b_in + r (W_hn h + b_hn)),  h' = (1 - z) n + z h          (Cho et al. 2014)
//   lstm  i, f, o = s(W_i. x + b_i. + W_h. h + b_h.),  g = tanh(W_ig x + b_ig + W_hg h + b_hg)
//         c' = f c + i g,  h' = o tanh(c')                        (Hochreiter and Schmidhuber 1997)
//
// with the gates' order, weights and biases of torch's GRUCell (r, z, n) and LSTMCell (i, f, g, o). A state
// is h of the gru, h and then c of the lstm.
//
// Steps lie in the order of time: those of step 0 of all trajectories, then of step 1, and so on, the longest
// trajectory first, so that those which have a step s are the first running[s] of them. No step stands for
// nothing.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace innerloop {

enum class Cell { kGru, kLstm };

inline int64_t gates_of(Cell cell) { return cell == Cell::kGru ? 3 : 4; }
inline int64_t states_of(Cell cell) { return cell == Cell::kGru ? 1 : 2; }  // in units

template <class T>
class RecurrentPass {
 public:
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using ConstMap = Eigen::Map<const Matrix>;
  using Map = Eigen::Map<Matrix>;

  // All read as long as the pass lives: weight_ih [gates units, inputs], weight_hh [gates units, units],
  // bias_ih and bias_hh [gates units], start [states units].
  struct Weights {
    const T *weight_ih, *weight_hh, *bias_ih, *bias_hh, *start;
  };
  struct Gradient {  // as Weights; overwritten
    T *weight_ih, *weight_hh, *bias_ih, *bias_hh, *start;
  };

  RecurrentPass(Cell cell, int64_t inputs, int64_t units, const Weights& weights);

  // x [M, inputs], read as long as the pass lives -> h after each step, [M, units]. What backward() needs is
  // kept. Error unless `running` falls and is at least 1.
  void forward(const T* x, const std::vector<int64_t>& running, T* h);

  // The gradient of sum(cotangent * h), cotangent [M, units], by the pass that forward() kept.
  void backward(const T* cotangent, const Gradient& gradient);

 private:
  // Steps row, ..., row + count - 1, which are one moment of the first `count` trajectories.
  void gru_step(int64_t row, int64_t count);
  void lstm_step(int64_t row, int64_t count);
  void gru_back(int64_t row, int64_t count);
  void lstm_back(int64_t row, int64_t count);

  Cell cell_;
  int64_t inputs_, units_;
  Weights weights_;
  std::vector<int64_t> running_;
  const T* x_ = nullptr;
  // A row a step: the state before; W_ih x + b_ih; the gates, behind those of the gru W_hn h + b_hn, behind
  // those of the lstm tanh(c').
  Matrix before_, projected_, gates_;
  Matrix pre_;              // W_hh h + b_hh of the steps in hand
  Matrix now_;              // the state of each trajectory
  Matrix back_x_, back_h_;  // a row a step: cotangents of W_ih x and W_hh h; those of the lstm are the same
  Matrix back_;             // cotangent of the state of each trajectory
};

extern template class RecurrentPass<float>;
extern template class RecurrentPass<double>;

}  // namespace innerloop
