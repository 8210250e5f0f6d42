// The linear feature baseline (Duan et al. 2016, "Benchmarking deep reinforcement learning"): a ridge
// regression of returns on [clip(o, +-10), clip(o, +-10)^2, t/100, (t/100)^2, (t/100)^3, 1], t the step
// within the trajectory.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace innerloop {

class LinearBaseline {
 public:
  // observations[n] [observation_size, length_n], returns[n] [length_n]. Solves (X'X + ridge I) w = X'R by
  // Cholesky with ridge 1e-5; if the matrix is not positive definite in double precision or the solution is
  // not finite, ridge x 10, five tries in all, then an Error.
  void fit(const std::vector<Eigen::Map<const Eigen::MatrixXf>>& observations,
           const std::vector<Eigen::VectorXd>& returns);

  // The same in two parts, where sums over trajectories are taken elsewhere: they add up.
  struct Sums {
    Eigen::MatrixXd gram;    // X'X, lower triangle
    Eigen::VectorXd moment;  // X'R
  };
  static Sums sums(const std::vector<Eigen::Map<const Eigen::MatrixXf>>& observations,
                   const std::vector<Eigen::VectorXd>& returns);
  // `trajectories`: how many they are, for the message.
  void solve(const Sums& sums, int64_t trajectories);

  Eigen::VectorXd predict(const Eigen::Map<const Eigen::MatrixXf>& observations) const;  // [length]
  const Eigen::VectorXd& coefficients() const { return coefficients_; }
  double ridge() const { return ridge_; }  // the one the last fit() ended with

 private:
  Eigen::VectorXd coefficients_;
  double ridge_ = 0;
};

}  // namespace innerloop
