#include "policies/recurrent_pass.h"

#include "base/error.h"

namespace innerloop {
namespace {

// s(x) through tanh, which Eigen does with whole vectors. As a macro-free expression it would hold references
// to temporaries: it is evaluated into `x`.
template <class X>
void squash(X&& x) {
  using T = typename std::decay_t<X>::Scalar;
  x = T(0.5) * (T(0.5) * x).tanh() + T(0.5);
}

}  // namespace

template <class T>
RecurrentPass<T>::RecurrentPass(Cell cell, int64_t inputs, int64_t units, const Weights& weights)
    : cell_(cell), inputs_(inputs), units_(units), weights_(weights) {}

template <class T>
void RecurrentPass<T>::forward(const T* x, const std::vector<int64_t>& running, T* h) {
  int64_t steps = 0;
  for (size_t s = 0; s < running.size(); ++s) {
    require(running[s] >= 1 && (s == 0 || running[s] <= running[s - 1]), "recurrent pass: ", running[s],
            " trajectories have step ", s, ", expected at least 1, the longest first");
    steps += running[s];
  }
  require(steps > 0, "recurrent pass: no steps");
  running_ = running;
  x_ = x;
  const int64_t all = gates_of(cell_) * units_, states = states_of(cell_) * units_;
  projected_.noalias() = ConstMap(x, steps, inputs_) * ConstMap(weights_.weight_ih, all, inputs_).transpose();
  projected_.rowwise() += ConstMap(weights_.bias_ih, 1, all).row(0);
  before_.resize(steps, states);
  gates_.resize(steps, (cell_ == Cell::kGru ? 4 : 5) * units_);
  now_ = ConstMap(weights_.start, 1, states).replicate(running[0], 1);
  const ConstMap recurrent(weights_.weight_hh, all, units_);
  int64_t row = 0;
  for (const int64_t count : running) {
    before_.middleRows(row, count) = now_.topRows(count);
    pre_.noalias() = now_.topLeftCorner(count, units_) * recurrent.transpose();
    pre_.rowwise() += ConstMap(weights_.bias_hh, 1, all).row(0);
    if (cell_ == Cell::kGru) {
      gru_step(row, count);
    } else {
      lstm_step(row, count);
    }
    Map(h, steps, units_).middleRows(row, count) = now_.topLeftCorner(count, units_);
    row += count;
  }
}

template <class T>
void RecurrentPass<T>::gru_step(int64_t row, int64_t count) {
  const int64_t u = units_;
  auto rz = gates_.block(row, 0, count, 2 * u).array();
  auto n = gates_.block(row, 2 * u, count, u).array(), hn = gates_.block(row, 3 * u, count, u).array();
  rz = projected_.block(row, 0, count, 2 * u).array() + pre_.leftCols(2 * u).array();
  squash(rz);
  hn = pre_.rightCols(u).array();
  n = (projected_.block(row, 2 * u, count, u).array() + rz.leftCols(u) * hn).tanh();
  auto h = now_.topRows(count).array();
  h = n + rz.rightCols(u) * (h - n);
}

template <class T>
void RecurrentPass<T>::lstm_step(int64_t row, int64_t count) {
  const int64_t u = units_;
  auto all = gates_.block(row, 0, count, 4 * u).array();
  all = projected_.middleRows(row, count).array() + pre_.array();
  squash(all.leftCols(2 * u));
  all.middleCols(2 * u, u) = all.middleCols(2 * u, u).tanh();
  squash(all.rightCols(u));
  auto h = now_.topLeftCorner(count, u).array(), c = now_.block(0, u, count, u).array();
  auto squashed = gates_.block(row, 4 * u, count, u).array();
  c = all.middleCols(u, u) * c + all.leftCols(u) * all.middleCols(2 * u, u);
  squashed = c.tanh();
  h = all.rightCols(u) * squashed;
}

template <class T>
void RecurrentPass<T>::backward(const T* cotangent, const Gradient& gradient) {
  const int64_t steps = before_.rows(), all = gates_of(cell_) * units_, states = states_of(cell_) * units_;
  back_x_.resize(steps, all);
  if (cell_ == Cell::kGru) back_h_.resize(steps, all);
  const Matrix& back_h = cell_ == Cell::kGru ? back_h_ : back_x_;
  back_.setZero(running_[0], states);
  const ConstMap recurrent(weights_.weight_hh, all, units_), given(cotangent, steps, units_);
  int64_t row = steps;
  for (size_t s = running_.size(); s-- > 0;) {
    const int64_t count = running_[s];
    row -= count;
    back_.topLeftCorner(count, units_) += given.middleRows(row, count);
    if (cell_ == Cell::kGru) {
      gru_back(row, count);
    } else {
      lstm_back(row, count);
    }
    back_.topLeftCorner(count, units_).noalias() += back_h.middleRows(row, count) * recurrent;
  }
  Map(gradient.weight_ih, all, inputs_).noalias() = back_x_.transpose() * ConstMap(x_, steps, inputs_);
  Map(gradient.weight_hh, all, units_).noalias() = back_h.transpose() * before_.leftCols(units_);
  Map(gradient.bias_ih, 1, all) = back_x_.colwise().sum();
  Map(gradient.bias_hh, 1, all) = back_h.colwise().sum();
  Map(gradient.start, 1, states) = back_.colwise().sum();
}

// back_ is the cotangent of h' and becomes that of h, but for what goes through W_hh.
template <class T>
void RecurrentPass<T>::gru_back(int64_t row, int64_t count) {
  const int64_t u = units_;
  const auto r = gates_.block(row, 0, count, u).array(), z = gates_.block(row, u, count, u).array(),
             n = gates_.block(row, 2 * u, count, u).array(), hn = gates_.block(row, 3 * u, count, u).array(),
             h = before_.middleRows(row, count).array();
  auto d = back_.topRows(count).array();
  auto dr = back_x_.block(row, 0, count, u).array(), dz = back_x_.block(row, u, count, u).array(),
       dn = back_x_.block(row, 2 * u, count, u).array();
  dn = d * (T(1) - z) * (T(1) - n.square());
  dz = d * (h - n) * z * (T(1) - z);
  dr = dn * hn * r * (T(1) - r);
  back_h_.block(row, 0, count, 2 * u) = back_x_.block(row, 0, count, 2 * u);
  back_h_.block(row, 2 * u, count, u).array() = dn * r;
  d *= z;
}

template <class T>
void RecurrentPass<T>::lstm_back(int64_t row, int64_t count) {
  const int64_t u = units_;
  const auto i = gates_.block(row, 0, count, u).array(), f = gates_.block(row, u, count, u).array(),
             g = gates_.block(row, 2 * u, count, u).array(), o = gates_.block(row, 3 * u, count, u).array(),
             squashed = gates_.block(row, 4 * u, count, u).array(),
             c = before_.block(row, u, count, u).array();
  auto dh = back_.topLeftCorner(count, u).array(), dc = back_.block(0, u, count, u).array();
  auto di = back_x_.block(row, 0, count, u).array(), df = back_x_.block(row, u, count, u).array(),
       dg = back_x_.block(row, 2 * u, count, u).array(), d_o = back_x_.block(row, 3 * u, count, u).array();
  dc += dh * o * (T(1) - squashed.square());
  d_o = dh * squashed * o * (T(1) - o);
  di = dc * g * i * (T(1) - i);
  df = dc * c * f * (T(1) - f);
  dg = dc * i * (T(1) - g.square());
  dc *= f;
  dh.setZero();
}

template class RecurrentPass<float>;
template class RecurrentPass<double>;

}  // namespace innerloop
