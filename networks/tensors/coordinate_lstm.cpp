#include "networks/tensors/coordinate_lstm.h"

#include <Eigen/Core>
#include <algorithm>

#include "base/error.h"
#include "networks/tensors/elementwise.h"
#include "networks/tensors/matrix_products.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr int64_t kInputs = 4;
constexpr int64_t kBlock = 128;  // coordinates at a time: their gates stay in the cache

template <class T>
using Matrix = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using Rows = Eigen::Map<Matrix<T>>;
template <class T>
using ConstRows = Eigen::Map<const Matrix<T>>;
template <class T>
using Column = Eigen::Array<T, Eigen::Dynamic, 1>;
template <class T>
using ConstColumn = Eigen::Map<const Column<T>>;

// Row-major, contiguous rows; a column is a matrix of one column.
template <class T>
MatrixView<const T> view(const T* data, int64_t rows, int64_t columns) {
  return {data, rows, columns, columns};
}
template <class T>
MatrixView<T> into(T* data, int64_t rows, int64_t columns) {
  return {data, rows, columns, columns};
}

template <class Derived>
auto sigmoid(const Eigen::ArrayBase<Derived>& x) {
  return (1 / (1 + (-x.derived()).exp())).eval();
}

template <class T>
const T* data(const Tensor& x) {
  return static_cast<const T*>(x.data_ptr());
}
template <class T>
T* written(const Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

// One block's forward pass, with what the backward pass needs.
template <class T>
struct Block {
  const CoordinateLstm& lstm;
  const CoordinateLstm::In& in;
  int64_t first, count, hidden;
  Matrix<T> x, gates, u, cell, tanh_cell, h;  // gates: sigmoids of i, f, o side by side
  Column<T> forget, input;                    // before the sigmoid

  Block(const CoordinateLstm& of, const CoordinateLstm::In& at, int64_t begin, int64_t rows)
      : lstm(of), in(at), first(begin), count(rows), hidden(of.bias.size(1) / 4) {
    x.resize(count, kInputs + hidden);
    x.leftCols(kInputs) = rows_of(in.inputs, kInputs);
    x.rightCols(hidden) = rows_of(in.state.hidden, hidden);
    const ConstRows<T> b(data<T>(lstm.bias), 1, 4 * hidden);
    Matrix<T> all(count, 4 * hidden);
    multiply(view(x.data(), count, kInputs + hidden),
             view(data<T>(lstm.weight), kInputs + hidden, 4 * hidden), into(all.data(), count, 4 * hidden));
    all.rowwise() += b.row(0);
    gates = sigmoid(all.leftCols(3 * hidden));
    u = all.rightCols(hidden).tanh();
    cell = gates.middleCols(hidden, hidden) * rows_of(in.state.cell, hidden) + gates.leftCols(hidden) * u;
    tanh_cell = cell.tanh();
    h = gates.rightCols(hidden) * tanh_cell;
    forget = ahead(lstm.forget_weight, lstm.forget_bias, in.state.forget);
    input = ahead(lstm.input_weight, lstm.input_bias, in.state.input);
  }

  ConstRows<T> rows_of(const Tensor& of, int64_t columns) const {
    return {data<T>(of) + first * columns, count, columns};
  }
  ConstColumn<T> column_of(const Tensor& of) const { return {data<T>(of) + first, count}; }

  Column<T> ahead(const Tensor& weight, const Tensor& bias, const Tensor& before) const {
    const T* w = data<T>(weight);
    Column<T> sum(count);
    multiply(view(h.data(), count, hidden), view(w, hidden, 1), into(sum.data(), count, 1));
    return sum + w[hidden] * column_of(in.theta) + w[hidden + 1] * column_of(before) + data<T>(bias)[0];
  }
};

template <class T>
void step_block(const Block<T>& b, const CoordinateLstm::Out& out) {
  const auto rows = [&](const Tensor& of) {
    return Rows<T>(written<T>(of) + b.first * b.hidden, b.count, b.hidden);
  };
  const auto column = [&](const Tensor& of) {
    return Eigen::Map<Column<T>>(written<T>(of) + b.first, b.count);
  };
  rows(out.state.hidden) = b.h;
  rows(out.state.cell) = b.cell;
  column(out.state.forget) = b.forget;
  column(out.state.input) = b.input;
  column(out.theta) = sigmoid(b.forget) * b.column_of(b.in.theta) -
                      static_cast<T>(b.in.scale) * sigmoid(b.input) * b.column_of(b.in.gradient);
}

template <class T>
void pull_block(const Block<T>& b, const CoordinateLstm::Out& c, const CoordinateLstm::Cotangents& out) {
  const int64_t n = b.count, H = b.hidden;
  const auto given_rows = [&](const Tensor& of) {
    return of.defined() ? Matrix<T>(b.rows_of(of, H)) : Matrix<T>(Matrix<T>::Zero(n, H));
  };
  const auto given = [&](const Tensor& of) {
    return of.defined() ? Column<T>(b.column_of(of)) : Column<T>(Column<T>::Zero(n));
  };
  const Column<T> theta = b.column_of(b.in.theta), moved = given(c.theta);
  const Column<T> keep = sigmoid(b.forget), take = sigmoid(b.input);
  const Column<T> d_forget = given(c.state.forget) + moved * theta * keep * (1 - keep);
  const Column<T> d_input = given(c.state.input) - static_cast<T>(b.in.scale) * moved *
                                                       b.column_of(b.in.gradient) * take * (1 - take);
  const T *wf = data<T>(b.lstm.forget_weight), *wi = data<T>(b.lstm.input_weight);
  Eigen::Map<Column<T>>(written<T>(out.theta) + b.first, n) =
      moved * keep + wf[H] * d_forget + wi[H] * d_input;
  Eigen::Map<Column<T>>(written<T>(out.state.forget) + b.first, n) = wf[H + 1] * d_forget;
  Eigen::Map<Column<T>>(written<T>(out.state.input) + b.first, n) = wi[H + 1] * d_input;

  Matrix<T> d_h = given_rows(c.state.hidden);
  multiply(view(d_forget.data(), n, 1), view(wf, 1, H), into(d_h.data(), n, H), true);
  multiply(view(d_input.data(), n, 1), view(wi, 1, H), into(d_h.data(), n, H), true);
  const auto add_gate = [&](const Column<T>& d, const Tensor& before, const Tensor& weight,
                            const Tensor& bias) {
    T* w = written<T>(weight);
    multiply_tn(view(b.h.data(), n, H), view(d.data(), n, 1), into(w, H, 1), true);
    w[H] += (d * theta).sum();
    w[H + 1] += (d * b.column_of(before)).sum();
    written<T>(bias)[0] += d.sum();
  };
  add_gate(d_forget, b.in.state.forget, out.weights.forget_weight, out.weights.forget_bias);
  add_gate(d_input, b.in.state.input, out.weights.input_weight, out.weights.input_bias);

  const auto i = b.gates.leftCols(H), f = b.gates.middleCols(H, H), o = b.gates.rightCols(H);
  const Matrix<T> d_cell = given_rows(c.state.cell) + d_h * o * (1 - b.tanh_cell.square());
  Matrix<T> d_gates(n, 4 * H);
  d_gates.leftCols(H) = d_cell * b.u * i * (1 - i);
  d_gates.middleCols(H, H) = d_cell * b.rows_of(b.in.state.cell, H) * f * (1 - f);
  d_gates.middleCols(2 * H, H) = d_h * b.tanh_cell * o * (1 - o);
  d_gates.rightCols(H) = d_cell * i * (1 - b.u.square());
  Rows<T>(written<T>(out.state.cell) + b.first * H, n, H) = d_cell * f;
  const auto gates = view(d_gates.data(), n, 4 * H);
  multiply_nt(gates, view(data<T>(b.lstm.weight) + kInputs * 4 * H, H, 4 * H),
              into(written<T>(out.state.hidden) + b.first * H, n, H));
  multiply_tn(view(b.x.data(), n, kInputs + H), gates,
              into(written<T>(out.weights.weight), kInputs + H, 4 * H), true);
  Rows<T>(written<T>(out.weights.bias), 1, 4 * H).row(0) += d_gates.colwise().sum();
}

// f(T()) for the type of x.
template <class F>
void by_type(const Tensor& x, const F& f) {
  const bool known = with_type(x, [&]<class T>(const T*) { f(T()); });
  require(known, "LSTM of coordinates: ", x.scalar_type(), x.sizes(),
          " found, expected contiguous Float or Double on the CPU");
}

template <class F>
void by_block(int64_t coordinates, const F& f) {
  for (int64_t first = 0; first < coordinates; first += kBlock)
    f(first, std::min(kBlock, coordinates - first));
}

CoordinateLstm::In contiguous(const CoordinateLstm::In& in) {
  const auto& s = in.state;
  return {in.theta.contiguous(),
          in.gradient.contiguous(),
          in.inputs.contiguous(),
          {s.hidden.contiguous(), s.cell.contiguous(), s.forget.contiguous(), s.input.contiguous()},
          in.scale};
}

Tensor contiguous(const Tensor& x) { return x.defined() ? x.contiguous() : x; }

CoordinateLstm contiguous(const CoordinateLstm& lstm) {
  return {lstm.weight.contiguous(),      lstm.bias.contiguous(),         lstm.forget_weight.contiguous(),
          lstm.forget_bias.contiguous(), lstm.input_weight.contiguous(), lstm.input_bias.contiguous()};
}

}  // namespace

CoordinateLstm::Out CoordinateLstm::step(const In& in) const {
  const torch::NoGradGuard no_graph;
  const In at = contiguous(in);
  const CoordinateLstm lstm = contiguous(*this);
  const Out out{torch::empty_like(at.theta),
                {torch::empty_like(at.state.hidden), torch::empty_like(at.state.cell),
                 torch::empty_like(at.state.forget), torch::empty_like(at.state.input)}};
  by_type(at.theta, [&]<class T>(T) {
    by_block(at.theta.numel(),
             [&](int64_t first, int64_t count) { step_block(Block<T>(lstm, at, first, count), out); });
  });
  return out;
}

CoordinateLstm::Cotangents CoordinateLstm::pullback(const In& in, const Out& cotangent) const {
  const torch::NoGradGuard no_graph;
  const In at = contiguous(in);
  const CoordinateLstm lstm = contiguous(*this);
  const auto& s = cotangent.state;
  const Out c{contiguous(cotangent.theta),
              {contiguous(s.hidden), contiguous(s.cell), contiguous(s.forget), contiguous(s.input)}};
  const Cotangents out{{torch::zeros_like(lstm.weight), torch::zeros_like(lstm.bias),
                        torch::zeros_like(lstm.forget_weight), torch::zeros_like(lstm.forget_bias),
                        torch::zeros_like(lstm.input_weight), torch::zeros_like(lstm.input_bias)},
                       torch::empty_like(at.theta),
                       {torch::empty_like(at.state.hidden), torch::empty_like(at.state.cell),
                        torch::empty_like(at.state.forget), torch::empty_like(at.state.input)}};
  by_type(at.theta, [&]<class T>(T) {
    by_block(at.theta.numel(),
             [&](int64_t first, int64_t count) { pull_block(Block<T>(lstm, at, first, count), c, out); });
  });
  return out;
}

}  // namespace innerloop
