#include "policies/recurrent_pass.h"

#include "base/error.h"

namespace innerloop {
namespace {

// Element by element in plain loops, which compilers make vectors of in a tenth of the time that they take
// for expressions; tanh is Eigen's.
template <class T>
void to_tanh(T* x, int64_t count) {
  Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>> values(x, count);
  values = values.tanh();
}

// x <- s(x) = (1 + tanh(x / 2)) / 2
template <class T>
void squash(T* x, int64_t count) {
  for (int64_t i = 0; i < count; ++i) x[i] *= T(0.5);
  to_tanh(x, count);
  for (int64_t i = 0; i < count; ++i) x[i] = T(0.5) * x[i] + T(0.5);
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
  for (int64_t b = 0; b < count; ++b) {
    const T *x = &projected_(row + b, 0), *y = &pre_(b, 0);
    T *r = &gates_(row + b, 0), *z = r + u, *n = z + u, *hn = n + u, *h = &now_(b, 0);
    for (int64_t i = 0; i < 2 * u; ++i) r[i] = x[i] + y[i];
    squash(r, 2 * u);
    for (int64_t i = 0; i < u; ++i) {
      hn[i] = y[2 * u + i];
      n[i] = x[2 * u + i] + r[i] * hn[i];
    }
    to_tanh(n, u);
    for (int64_t i = 0; i < u; ++i) h[i] = n[i] + z[i] * (h[i] - n[i]);
  }
}

template <class T>
void RecurrentPass<T>::lstm_step(int64_t row, int64_t count) {
  const int64_t u = units_;
  for (int64_t b = 0; b < count; ++b) {
    const T *x = &projected_(row + b, 0), *y = &pre_(b, 0);
    T *in = &gates_(row + b, 0), *forget = in + u, *g = forget + u, *out = g + u, *squashed = out + u;
    T *h = &now_(b, 0), *c = h + u;
    for (int64_t i = 0; i < 4 * u; ++i) in[i] = x[i] + y[i];
    squash(in, 2 * u);
    to_tanh(g, u);
    squash(out, u);
    for (int64_t i = 0; i < u; ++i) squashed[i] = c[i] = forget[i] * c[i] + in[i] * g[i];
    to_tanh(squashed, u);
    for (int64_t i = 0; i < u; ++i) h[i] = out[i] * squashed[i];
  }
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
  for (int64_t b = 0; b < count; ++b) {
    const T *r = &gates_(row + b, 0), *z = r + u, *n = z + u, *hn = n + u, *h = &before_(row + b, 0);
    T *d = &back_(b, 0), *by_x = &back_x_(row + b, 0), *by_h = &back_h_(row + b, 0);
    for (int64_t i = 0; i < u; ++i) {
      const T dn = d[i] * (T(1) - z[i]) * (T(1) - n[i] * n[i]);
      by_x[i] = by_h[i] = dn * hn[i] * r[i] * (T(1) - r[i]);
      by_x[u + i] = by_h[u + i] = d[i] * (h[i] - n[i]) * z[i] * (T(1) - z[i]);
      by_x[2 * u + i] = dn;
      by_h[2 * u + i] = dn * r[i];
      d[i] *= z[i];
    }
  }
}

template <class T>
void RecurrentPass<T>::lstm_back(int64_t row, int64_t count) {
  const int64_t u = units_;
  for (int64_t b = 0; b < count; ++b) {
    const T *in = &gates_(row + b, 0), *forget = in + u, *g = forget + u, *out = g + u, *squashed = out + u;
    const T* c = &before_(row + b, u);
    T *dh = &back_(b, 0), *dc = dh + u, *by = &back_x_(row + b, 0);
    for (int64_t i = 0; i < u; ++i) {
      const T along = dc[i] + dh[i] * out[i] * (T(1) - squashed[i] * squashed[i]);
      by[i] = along * g[i] * in[i] * (T(1) - in[i]);
      by[u + i] = along * c[i] * forget[i] * (T(1) - forget[i]);
      by[2 * u + i] = along * in[i] * (T(1) - g[i] * g[i]);
      by[3 * u + i] = dh[i] * squashed[i] * out[i] * (T(1) - out[i]);
      dc[i] = along * forget[i];
      dh[i] = 0;
    }
  }
}

template class RecurrentPass<float>;
template class RecurrentPass<double>;

}  // namespace innerloop
