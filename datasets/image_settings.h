// What all data sets of images ask of their pixels, and the keys that set it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/settings.h"

namespace innerloop {

inline constexpr int64_t kLargestImage = 1024;

// The keys image_size, mean and std of a struct with fields of these names:
//   int64_t image_size = 0;               pixels a side; 0: the data set's own
//   std::vector<double> mean{0}, std{1};  pixels p in [0, 1] enter as (p - mean) / std; 1 number, or 1 a
//   channel
template <class Settings>
std::vector<Key> with_pixel_keys(std::vector<Key> keys) {
  keys.push_back(keys::whole("image_size", &Settings::image_size, 0, kLargestImage,
                             "pixels a side, 0 = the data set's own"));
  keys.push_back(keys::numbers("mean", &Settings::mean, false,
                               "subtracted from pixels in [0, 1]; one, or one per channel"));
  keys.push_back(
      keys::numbers("std", &Settings::std, true, "which then are divided by this; one, or one per channel"));
  return keys;
}

inline constexpr char kPathMeaning[] = "file or folder of the data, also looked for under INNERLOOP_DATA";

}  // namespace innerloop
