// What the bytes of an image enter a network as.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace innerloop {

// [channels][256]: (p / 255 - mean) / std of byte p. mean and std hold one number or one per channel;
// UsageError with `owner`, the name of the data set, for others.
inline std::vector<double> pixel_values(int64_t channels, const std::vector<double>& mean,
                                        const std::vector<double>& std, const std::string& owner) {
  const auto count = static_cast<size_t>(channels);
  const auto fits = [&](const std::vector<double>& numbers) {
    return numbers.size() == 1 || numbers.size() == count;
  };
  const std::string expected = channels == 1 ? "1" : concat("1 or ", channels, " (channels)");
  require_usage(fits(mean), owner, ": mean has ", mean.size(), " numbers, expected ", expected);
  require_usage(fits(std), owner, ": std has ", std.size(), " numbers, expected ", expected);
  for (const double deviation : std) {
    require_usage(deviation > 0, owner, ": std is ", deviation, ", expected a number above 0");
  }
  std::vector<double> table(count * 256);
  for (size_t channel = 0; channel < count; ++channel) {
    for (size_t p = 0; p < 256; ++p) {
      table[channel * 256 + p] = (static_cast<double>(p) / 255 - mean[mean.size() == 1 ? 0 : channel]) /
                                 std[std.size() == 1 ? 0 : channel];
    }
  }
  return table;
}

}  // namespace innerloop
