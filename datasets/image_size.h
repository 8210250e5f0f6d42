// How large an encoded image says it is, read from its header: a file of a hundred bytes may ask a decoder
// for gigabytes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace innerloop {

struct ImageSize {
  int64_t height = 0, width = 0;  // pixels, above 0
};

// Of a PNG, JPEG, WebP, BMP or TIFF file (its first page). Nothing for what is none of them, and where the
// header is cut short or declares no pixels.
std::optional<ImageSize> declared_size(const std::vector<uint8_t>& bytes);

}  // namespace innerloop
