// The mean of a sample and how well it is known.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace innerloop {

// Student's t for 95 %: P(|T| < t) = 0.95 with `degrees` of freedom. 12.71 for 1, 2.023 for 39, 1.960 for
// many. Exact to 1e-4.
double student_t95(int64_t degrees);

struct MeanStatistics {
  double mean = 0;
  std::optional<double> std;   // sample standard deviation (n - 1); none for one value
  std::optional<double> ci95;  // half-width of the 95 % confidence interval, t std / sqrt(n)
};

MeanStatistics mean_statistics(const std::vector<double>& values);  // not empty

}  // namespace innerloop
