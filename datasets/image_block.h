// Encoded images decoded into one block of pixels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/image_cache.h"

namespace innerloop {

inline constexpr int64_t kMixedSize = 84;

// How pixels come about (datasets/image_decode.h).
struct PixelRules {
  int64_t size = 0;           // pixels a side; 0 = as the images are if all have one size, else kMixedSize
  int64_t channels = 0;       // 1 or 3; 0 = grey if all images are, else red, green and blue
  bool invert = false;        // p becomes 255 - p
  bool crop = false;          // sizes change by resize_and_crop; otherwise by resize_lanczos
  bool upright = true;        // orientation in Exif data is applied
  bool skip_damaged = false;  // PixelBlock::damaged takes what cannot be read; otherwise it is an Error
  bool operator==(const PixelRules&) const = default;
};

struct ImageSource {
  std::filesystem::path path;      // folder or archive
  std::vector<std::string> files;  // paths inside
};

// The images of all sources in the order of their files, decoded on all cores; a line of progress on stderr
// every five seconds, and one for each image left out. Errors: see read_images (datasets/image_reader.h).
PixelBlock decode_images(const std::string& dataset, const std::vector<ImageSource>& sources,
                         PixelRules rules);

}  // namespace innerloop
