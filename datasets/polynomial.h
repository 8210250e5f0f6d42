// Regression of polynomials (Lee and Choi, "Gradient-based meta-learning with learned layerwise metric and
// subspace", ICML 2018, section 5.2; code: yoonholee/MT-net, poly_generator.py):
//   task    c_i = u_i / 2^i, u_i ~ U[-1, 1), i = 0, ..., order
//   sample  x ~ U[-2, 2), y = sum_i c_i x^i
// The higher the order, the more numbers a task consists of. Training, validation and test tasks come from
// this one distribution, by streams of different purposes.
#pragma once

#include <memory>
#include <vector>

#include "datasets/dataset.h"

namespace innerloop {

inline constexpr char kPolynomialDescription[] = "regression of a polynomial of unknown coefficients";

// The coefficients of the task that Dataset::draw makes of this stream, its first order + 1 numbers: c_0
// first.
std::vector<double> sample_polynomial(int64_t order, Stream& stream);

struct PolynomialSettings {
  int64_t order = 2;
};
inline const Keys<PolynomialSettings> kPolynomialKeys{keys::whole(
    "order", &PolynomialSettings::order, 0, 20, "of the polynomials: a task is order + 1 coefficients")};

std::unique_ptr<Dataset> make_polynomial(const PolynomialSettings& settings);

}  // namespace innerloop
