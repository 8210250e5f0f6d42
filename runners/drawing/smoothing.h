// Curves of noisy values, as they are drawn.
#pragma once

#include <cstddef>
#include <vector>

namespace innerloop {

// The mean of the values around each, up to `reach` on either side (fewer at the ends, and alike on both
// sides, so that a trend is not bent).
std::vector<double> smoothed_values(const std::vector<double>& values, size_t reach);

}  // namespace innerloop
