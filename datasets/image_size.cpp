#include "datasets/image_size.h"

#include <cstdlib>
#include <string_view>

namespace innerloop {
namespace {

enum class Order { kLittle, kBig };

// The bytes of a file, and 0 behind its end.
class Bytes {
 public:
  explicit Bytes(const std::vector<uint8_t>& bytes) : bytes_(bytes) {}

  size_t size() const { return bytes_.size(); }
  uint8_t operator[](size_t at) const { return at < bytes_.size() ? bytes_[at] : uint8_t{0}; }

  bool has(size_t at, std::string_view text) const {
    if (at + text.size() > bytes_.size()) return false;
    return std::string_view(reinterpret_cast<const char*>(bytes_.data()) + at, text.size()) == text;
  }

  // A number of up to four bytes.
  uint32_t number(size_t at, size_t count, Order order) const {
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i)
      value = value << 8 | (*this)[order == Order::kBig ? at + i : at + count - 1 - i];
    return value;
  }

 private:
  const std::vector<uint8_t>& bytes_;
};

using Size = std::optional<ImageSize>;

Size size_of(int64_t height, int64_t width) {
  if (height <= 0 || width <= 0) return std::nullopt;
  return ImageSize{height, width};
}

Size png_size(const Bytes& bytes) {  // IHDR is the first chunk
  return size_of(bytes.number(20, 4, Order::kBig), bytes.number(16, 4, Order::kBig));
}

Size jpeg_size(const Bytes& bytes) {  // the first start of frame, SOF0 to SOF15
  for (size_t at = 2;;) {
    while (at < bytes.size() && bytes[at] != 0xff) ++at;  // decoders pass over what is no marker
    while (at < bytes.size() && bytes[at] == 0xff) ++at;
    if (at >= bytes.size()) return std::nullopt;
    const uint8_t marker = bytes[at++];
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;  // without a length
    if (marker == 0xd9 || marker == 0xda) return std::nullopt;           // end of image, start of scan
    const bool table = marker == 0xc4 || marker == 0xc8 || marker == 0xcc;
    if (marker >= 0xc0 && marker <= 0xcf && !table)
      return size_of(bytes.number(at + 3, 2, Order::kBig), bytes.number(at + 5, 2, Order::kBig));
    at += bytes.number(at, 2, Order::kBig);
  }
}

Size webp_size(const Bytes& bytes) {
  const auto number = [&](size_t at, size_t count) { return bytes.number(at, count, Order::kLittle); };
  if (bytes.has(12, "VP8X")) return size_of(int64_t{number(27, 3)} + 1, int64_t{number(24, 3)} + 1);
  if (bytes.has(12, "VP8 ")) return size_of(number(28, 2) & 0x3fff, number(26, 2) & 0x3fff);
  if (!bytes.has(12, "VP8L")) return std::nullopt;
  const uint32_t both = number(21, 4);
  return size_of((both >> 14 & 0x3fff) + 1, (both & 0x3fff) + 1);
}

Size bmp_size(const Bytes& bytes) {
  const auto number = [&](size_t at, size_t count) { return bytes.number(at, count, Order::kLittle); };
  if (number(14, 4) == 12) return size_of(number(20, 2), number(18, 2));  // OS/2's header
  const auto height = static_cast<int32_t>(number(22, 4));                // below 0: from top to bottom
  return size_of(std::abs(int64_t{height}), static_cast<int32_t>(number(18, 4)));
}

Size tiff_size(const Bytes& bytes) {
  const Order order = bytes[0] == 'I' ? Order::kLittle : Order::kBig;
  const size_t directory = bytes.number(4, 4, order), entries = bytes.number(directory, 2, order);
  uint32_t width = 0, height = 0;
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    const uint32_t tag = bytes.number(entry, 2, order), type = bytes.number(entry + 2, 2, order);
    const uint32_t value = bytes.number(entry + 8, type == 3 ? 2 : 4, order);  // 3: a SHORT
    if (tag == 256) width = value;
    if (tag == 257) height = value;
  }
  return size_of(height, width);
}

}  // namespace

std::optional<ImageSize> declared_size(const std::vector<uint8_t>& file) {
  const Bytes bytes(file);
  if (bytes.has(0, "\x89PNG")) return png_size(bytes);
  if (bytes.has(0, "\xff\xd8\xff")) return jpeg_size(bytes);
  if (bytes.has(0, "RIFF") && bytes.has(8, "WEBP")) return webp_size(bytes);
  if (bytes.has(0, "BM")) return bmp_size(bytes);
  const std::string_view little("II\x2a\0", 4), big("MM\0\x2a", 4);
  return bytes.has(0, little) || bytes.has(0, big) ? tiff_size(bytes) : std::nullopt;
}

}  // namespace innerloop
