#include "meta/supervised/representation_similarity.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace innerloop {
namespace {

using torch::Tensor;

void check_pair(const char* what, const Tensor& x, const Tensor& y) {
  require(x.dim() == 2 && y.dim() == 2 && x.size(0) == y.size(0) && x.size(0) > 0 &&
              x.scalar_type() == torch::kFloat64 && y.scalar_type() == torch::kFloat64,
          what, ": representations of shapes ", x.sizes(), " and ", y.sizes(),
          ", expected two matrices in float64 with a row for each of the same samples");
}

Tensor centred(const Tensor& x) { return x - x.mean(0, /*keepdim=*/true); }

Eigen::MatrixXd to_matrix(const Tensor& x) {
  const Tensor values = x.contiguous();
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(values.data_ptr<double>(), values.size(0), values.size(1));
}

// W [neurons, k] with uncorrelated columns of X W of length 1: the k leading principal directions.
Eigen::MatrixXd whitening(const Tensor& x, double variance) {
  constexpr double kLeastVariance = 1e-10;  // of the largest
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(to_matrix(x.t().matmul(x)));
  require(solver.info() == Eigen::Success, "the eigenvalues of a covariance of ", x.size(1),
          " neurons were not found");
  const auto& values = solver.eigenvalues();  // increasing
  const auto count = values.size();
  const double total = values.cwiseMax(0).sum(), largest = values[count - 1];
  Eigen::Index kept = 0;
  for (double explained = 0; kept < count; ++kept) {
    const double value = values[count - 1 - kept];
    if (value <= kLeastVariance * largest || explained >= variance * total) break;
    explained += value;
  }
  return solver.eigenvectors().rightCols(kept) * values.tail(kept).cwiseSqrt().cwiseInverse().asDiagonal();
}

// Beyond what rounding leaves of a constant.
bool varies(const Tensor& centred_samples, const Tensor& samples) {
  constexpr double kRounding = 1e-20;
  const auto squared = [](const Tensor& values) { return values.square().sum().item<double>(); };
  return squared(centred_samples) > kRounding * squared(samples);
}

}  // namespace

Tensor as_samples(const Tensor& h) {
  require((h.dim() == 3 || h.dim() == 5) && h.size(0) == 1, "a representation of shape ", h.sizes(),
          ", expected [1, N, neurons] or [1, N, channels, height, width]");
  const Tensor samples = h.dim() == 3 ? h[0] : h[0].permute({0, 2, 3, 1}).flatten(0, 2);
  return samples.to(torch::kFloat64).contiguous();
}

std::optional<double> linear_cka(const Tensor& x, const Tensor& y) {
  check_pair("linear CKA", x, y);
  const Tensor a = centred(x), b = centred(y);
  if (!varies(a, x) || !varies(b, y)) return std::nullopt;
  const auto squared = [](const Tensor& u, const Tensor& v) {
    return u.t().matmul(v).square().sum().item<double>();
  };
  return squared(b, a) / std::sqrt(squared(a, a) * squared(b, b));
}

std::optional<double> mean_cca(const Tensor& x, const Tensor& y, double variance) {
  check_pair("mean CCA", x, y);
  require(variance > 0 && variance <= 1, "mean CCA: ", variance,
          " of the variance asked, expected a number above 0 and at most 1");
  const Tensor a = centred(x), b = centred(y);
  if (x.size(0) <= std::max(x.size(1), y.size(1)) || !varies(a, x) || !varies(b, y)) return std::nullopt;
  const Eigen::MatrixXd correlation =
      whitening(a, variance).transpose() * to_matrix(a.t().matmul(b)) * whitening(b, variance);
  const bool tall = correlation.rows() > correlation.cols();
  const Eigen::MatrixXd squares = tall ? Eigen::MatrixXd(correlation.transpose() * correlation)
                                       : Eigen::MatrixXd(correlation * correlation.transpose());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(squares, Eigen::EigenvaluesOnly);
  require(solver.info() == Eigen::Success, "canonical correlations were not found");
  return solver.eigenvalues().cwiseMax(0).cwiseMin(1).cwiseSqrt().mean();
}

}  // namespace innerloop
