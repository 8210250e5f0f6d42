#include "runners/experiment/statistics.h"

#include <array>
#include <cmath>

#include "base/error.h"

namespace innerloop {

double student_t95(int64_t degrees) {
  require(degrees > 0, "Student's t with ", degrees, " degrees of freedom, expected at least 1");
  constexpr std::array<double, 10> kFew{12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818,
                                        2.4469119,  2.3646243, 2.3060041, 2.2621572, 2.2281389};
  if (degrees <= static_cast<int64_t>(kFew.size())) return kFew[static_cast<size_t>(degrees - 1)];
  // Fisher's expansion about the normal quantile z (Abramowitz and Stegun 26.7.5).
  const double z = 1.9599639845400543, z2 = z * z, n = static_cast<double>(degrees);
  const double g1 = z * (z2 + 1) / 4;
  const double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
  const double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
  return z + g1 / n + g2 / (n * n) + g3 / (n * n * n);
}

MeanStatistics mean_statistics(const std::vector<double>& values) {
  require(!values.empty(), "no values, no mean");
  const auto n = static_cast<double>(values.size());
  MeanStatistics out;
  for (const double value : values) out.mean += value / n;
  if (values.size() == 1) return out;
  double squares = 0;
  for (const double value : values) squares += std::pow(value - out.mean, 2);
  out.std = std::sqrt(squares / (n - 1));
  out.ci95 = student_t95(static_cast<int64_t>(values.size()) - 1) * *out.std / std::sqrt(n);
  return out;
}

}  // namespace innerloop
