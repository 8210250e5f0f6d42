#include "runners/drawing/smoothing.h"

#include <algorithm>

namespace innerloop {

std::vector<double> smoothed_values(const std::vector<double>& values, size_t reach) {
  std::vector<double> out;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t r = std::min({reach, i, values.size() - 1 - i});
    double sum = 0;
    for (size_t k = i - r; k <= i + r; ++k) sum += values[k];
    out.push_back(sum / static_cast<double>(2 * r + 1));
  }
  return out;
}

}  // namespace innerloop
