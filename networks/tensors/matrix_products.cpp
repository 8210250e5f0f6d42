#include "networks/tensors/matrix_products.h"

#include <Eigen/Core>
#include <type_traits>

namespace innerloop {
namespace {

template <class T>
auto map(MatrixView<T> m) {
  using Matrix = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Seen = std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>;
  return Eigen::Map<Seen, 0, Eigen::OuterStride<>>(m.data, m.rows, m.columns, Eigen::OuterStride<>(m.stride));
}

// out(i, j) (+)= sum_k a[i * row_a + k * depth_a] b[k * depth_b + j * column_b]
void plain(const double* a, int64_t row_a, int64_t depth_a, const double* b, int64_t depth_b,
           int64_t column_b, int64_t depth, MatrixView<double> out, bool add) {
  for (int64_t i = 0; i < out.rows; ++i) {
    for (int64_t j = 0; j < out.columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < depth; ++k) sum += a[i * row_a + k * depth_a] * b[k * depth_b + j * column_b];
      double& to = out.data[i * out.stride + j];
      to = add ? to + sum : sum;
    }
  }
}

}  // namespace

void multiply(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out, bool add) {
  auto to = map(out);
  if (!add) to.setZero();
  to.noalias() += map(a) * map(b);
}
void multiply_tn(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out, bool add) {
  auto to = map(out);
  if (!add) to.setZero();
  to.noalias() += map(a).transpose() * map(b);
}
void multiply_nt(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out, bool add) {
  auto to = map(out);
  if (!add) to.setZero();
  to.noalias() += map(a) * map(b).transpose();
}

void multiply(MatrixView<const double> a, MatrixView<const double> b, MatrixView<double> out, bool add) {
  plain(a.data, a.stride, 1, b.data, b.stride, 1, a.columns, out, add);
}
void multiply_tn(MatrixView<const double> a, MatrixView<const double> b, MatrixView<double> out, bool add) {
  plain(a.data, 1, a.stride, b.data, b.stride, 1, a.rows, out, add);
}
void multiply_nt(MatrixView<const double> a, MatrixView<const double> b, MatrixView<double> out, bool add) {
  plain(a.data, a.stride, 1, b.data, 1, b.stride, a.columns, out, add);
}

}  // namespace innerloop
