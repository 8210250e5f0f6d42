#include "sampling/linear_baseline.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <utility>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr double kRidge = 1e-5;
constexpr int kTries = 5;
constexpr float kClip = 10;

// [length, 2 * observation_size + 4]
Eigen::MatrixXd features(const Eigen::Map<const Eigen::MatrixXf>& observations) {
  const Eigen::Index size = observations.rows(), length = observations.cols();
  Eigen::MatrixXd x(length, 2 * size + 4);
  x.leftCols(size) = observations.transpose().cwiseMin(kClip).cwiseMax(-kClip).cast<double>();
  x.middleCols(size, size) = x.leftCols(size).cwiseAbs2();
  const Eigen::ArrayXd t =
      Eigen::ArrayXd::LinSpaced(length, 0, static_cast<double>(std::max<Eigen::Index>(length - 1, 0))) / 100;
  x.col(2 * size) = t;
  x.col(2 * size + 1) = t.square();
  x.col(2 * size + 2) = t.cube();
  x.col(2 * size + 3).setOnes();
  return x;
}

}  // namespace

void LinearBaseline::fit(const std::vector<Eigen::Map<const Eigen::MatrixXf>>& observations,
                         const std::vector<Eigen::VectorXd>& returns) {
  solve(sums(observations, returns), static_cast<int64_t>(observations.size()));
}

LinearBaseline::Sums LinearBaseline::sums(const std::vector<Eigen::Map<const Eigen::MatrixXf>>& observations,
                                          const std::vector<Eigen::VectorXd>& returns) {
  require(!observations.empty() && observations.size() == returns.size(),
          "linear baseline: ", observations.size(), " trajectories and ", returns.size(),
          " vectors of returns, expected as many, at least one");
  const Eigen::Index size = 2 * observations.front().rows() + 4;
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(size, size);
  Eigen::VectorXd moment = Eigen::VectorXd::Zero(size);
  for (size_t n = 0; n < observations.size(); ++n) {
    require(returns[n].size() == observations[n].cols(), "linear baseline: trajectory ", n, " has ",
            observations[n].cols(), " steps and ", returns[n].size(), " returns");
    const Eigen::MatrixXd x = features(observations[n]);
    gram.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose());
    moment.noalias() += x.transpose() * returns[n];
  }
  return {std::move(gram), std::move(moment)};
}

void LinearBaseline::solve(const Sums& sums, int64_t trajectories) {
  const auto& [gram, moment] = sums;
  ridge_ = kRidge;
  for (int attempt = 0; attempt < kTries; ++attempt, ridge_ *= 10) {
    Eigen::MatrixXd regular = gram;
    regular.diagonal().array() += ridge_;
    const Eigen::LLT<Eigen::MatrixXd> factor(regular);
    if (factor.info() != Eigen::Success) continue;
    coefficients_ = factor.solve(moment);
    if (coefficients_.allFinite()) return;
  }
  coefficients_.resize(0);
  throw Error(concat("linear baseline: no finite solution with a ridge of ", kRidge, " to ", ridge_ / 10,
                     " over ", trajectories, " trajectories (largest entry of X'X ",
                     gram.cwiseAbs().maxCoeff(), ", of X'R ", moment.cwiseAbs().maxCoeff(),
                     "): are observations and returns finite?"));
}

Eigen::VectorXd LinearBaseline::predict(const Eigen::Map<const Eigen::MatrixXf>& observations) const {
  require(coefficients_.size() == 2 * observations.rows() + 4, "linear baseline: fitted on ",
          coefficients_.size(), " features, asked about ", 2 * observations.rows() + 4);
  return features(observations) * coefficients_;
}

}  // namespace innerloop
