// Products of row-major matrices in memory, compiled once for all that call them: Eigen's templates cost each
// file that uses them seconds of the compiler.
#pragma once

#include <cstdint>

namespace innerloop {

template <class T>
struct MatrixView {
  T* data;
  int64_t rows, columns, stride;  // stride: from row to row
};

// out = a b, a^T b, a b^T; with `add` out += ... Shapes must fit, out apart from a and b. float32 with
// Eigen's kernels; float64, which checks gradients, in plain loops.
void multiply(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out, bool add = false);
void multiply_tn(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out,
                 bool add = false);
void multiply_nt(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out,
                 bool add = false);
void multiply(MatrixView<const double> a, MatrixView<const double> b, MatrixView<double> out,
              bool add = false);
void multiply_tn(MatrixView<const double> a, MatrixView<const double> b, MatrixView<double> out,
                 bool add = false);
void multiply_nt(MatrixView<const double> a, MatrixView<const double> b, MatrixView<double> out,
                 bool add = false);

}  // namespace innerloop
