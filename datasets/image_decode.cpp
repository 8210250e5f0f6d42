#include "datasets/image_decode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgcodecs.hpp>

#include "base/error.h"
#include "datasets/image_size.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

constexpr int kWeightBits = 22;
constexpr int64_t kMostPixels = 100'000'000;  // of a decoded image, whose planes take 300 MB

struct Sizes {
  int64_t in = 0, full = 0;   // values before and after
  int64_t skip = 0, out = 0;  // those of `full` that are computed: `out` from `skip` on
  bool operator==(const Sizes&) const = default;
};

// Of one dimension: output i is sum_k weights[first[i] + k] * input[from[i] + k], in units of 2^-22.
struct Kernel {
  Sizes sizes;
  std::vector<int64_t> from, count, first;
  std::vector<int32_t> weights;
};

double lanczos(double x) {
  if (x < -3 || x >= 3) return 0;
  const auto sinc = [](double y) {
    return y == 0 ? 1 : std::sin(std::numbers::pi * y) / (std::numbers::pi * y);
  };
  return sinc(x) * sinc(x / 3);
}

// For outputs skip .. skip + out - 1 of `full`.
Kernel make_kernel(const Sizes& sizes) {
  const auto [in, full, skip, out] = sizes;
  Kernel kernel{.sizes = sizes};
  const double scale = static_cast<double>(in) / static_cast<double>(full), widen = std::max(scale, 1.0);
  const double support = 3 * widen;
  std::vector<double> weights;
  for (int64_t i = skip; i < skip + out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto from = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const auto to = std::min(in, static_cast<int64_t>(centre + support + 0.5));
    weights.clear();
    double sum = 0;
    for (int64_t x = from; x < to; ++x) {
      weights.push_back(lanczos((static_cast<double>(x) - centre + 0.5) / widen));
      sum += weights.back();
    }
    kernel.from.push_back(from);
    kernel.count.push_back(to - from);
    kernel.first.push_back(static_cast<int64_t>(kernel.weights.size()));
    for (const double weight : weights) {
      const double scaled = weight / sum * (1 << kWeightBits);
      kernel.weights.push_back(static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
  }
  return kernel;
}

// Consecutive images mostly share their size: the kernel of the last one is kept, per thread.
const Kernel& kernel_for(Kernel& last, const Sizes& sizes) {
  if (last.sizes != sizes) last = make_kernel(sizes);
  return last;
}

// Lines of `in` values become lines of `out`; values of a line lie `stride` apart in both.
void resample(const Kernel& kernel, const uint8_t* in, int64_t lines, int64_t in_step, int64_t out_step,
              int64_t stride, uint8_t* out) {
  for (int64_t line = 0; line < lines; ++line, in += in_step, out += out_step) {
    for (size_t i = 0; i < static_cast<size_t>(kernel.sizes.out); ++i) {
      const int32_t* weights = kernel.weights.data() + kernel.first[i];
      const uint8_t* from = in + kernel.from[i] * stride;
      int32_t sum = 1 << (kWeightBits - 1);
      for (int64_t k = 0; k < kernel.count[i]; ++k) sum += weights[k] * from[k * stride];
      out[static_cast<int64_t>(i) * stride] =
          static_cast<uint8_t>(std::clamp<int32_t>(sum >> kWeightBits, 0, 255));
    }
  }
}

void resize(const Image& image, const Sizes& vertical_sizes, const Sizes& horizontal_sizes, uint8_t* out) {
  const int64_t height = vertical_sizes.out, width = horizontal_sizes.out;
  if (image.height == height && image.width == width) {
    std::copy(image.planes.begin(), image.planes.end(), out);
    return;
  }
  thread_local Kernel last_horizontal, last_vertical;
  const auto& horizontal = kernel_for(last_horizontal, horizontal_sizes);
  const auto& vertical = kernel_for(last_vertical, vertical_sizes);
  std::vector<uint8_t> rows(static_cast<size_t>(image.height * width));
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    const uint8_t* plane = image.planes.data() + channel * image.height * image.width;
    resample(horizontal, plane, image.height, image.width, width, 1, rows.data());
    resample(vertical, rows.data(), width, 1, 1, width, out + channel * height * width);
  }
}

bool starts_with(const std::vector<uint8_t>& bytes, std::initializer_list<int> start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

bool is_other_format(const std::vector<uint8_t>& bytes) {
  const bool riff = starts_with(bytes, {'R', 'I', 'F', 'F'}) && bytes.size() >= 12;
  return starts_with(bytes, {0x89, 'P', 'N', 'G'}) || starts_with(bytes, {'B', 'M'}) ||
         starts_with(bytes, {'I', 'I', 42, 0}) || starts_with(bytes, {'M', 'M', 0, 42}) ||
         (riff && std::equal(bytes.begin() + 8, bytes.begin() + 12, "WEBP"));
}

// Whether a JPEG stream reaches its end-of-image marker. (The library fills what is missing of a shortened
// file with grey and says nothing.) The search starts behind the segments: a preview in them has a marker of
// its own.
bool jpeg_ends(const std::vector<uint8_t>& bytes) {
  size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xff && bytes[at + 1] != 0xda) {  // until start of scan
    at += bytes[at + 1] == 0xff ? 1 : 2 + (size_t{bytes[at + 2]} << 8 | bytes[at + 3]);
  }
  constexpr std::array<uint8_t, 2> kEnd{0xff, 0xd9};
  return at < bytes.size() && std::search(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(),
                                          kEnd.begin(), kEnd.end()) != bytes.end();
}

}  // namespace

bool is_image_name(const std::string& path) {
  const auto name = lower_case(path);
  const std::array<const char*, 7> ends{".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"};
  return std::any_of(ends.begin(), ends.end(), [&](const char* end) { return name.ends_with(end); });
}

Image decode_image(const std::vector<uint8_t>& bytes, int64_t channels, const std::string& name,
                   bool upright) {
  const bool jpeg = starts_with(bytes, {0xff, 0xd8, 0xff});
  require(jpeg || is_other_format(bytes), name,
          " is not an image: it has the bytes of no PNG, JPEG, WebP, BMP or TIFF file");
  require(!jpeg || jpeg_ends(bytes), name, " is damaged: the JPEG data end too early");
  const auto size = declared_size(bytes);
  require(size.has_value(), name, " is damaged: its header declares no size");
  require(size->height <= kMostPixels / size->width, name, " is too large: it declares ", size->width, " x ",
          size->height, " pixels, expected at most ", kMostPixels);
  const int colour = channels == 1   ? cv::IMREAD_GRAYSCALE
                     : channels == 3 ? cv::IMREAD_COLOR
                                     : cv::IMREAD_ANYCOLOR;
  cv::Mat decoded;
  try {
    decoded = cv::imdecode(bytes, upright ? colour : colour | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& e) {
    throw Error(concat(name, " is damaged: ", in_quotes(e.err)));
  }
  require(!decoded.empty() && decoded.depth() == CV_8U, name, " is damaged: it cannot be decoded");
  Image image{.channels = decoded.channels(), .height = decoded.rows, .width = decoded.cols};
  const int64_t area = image.height * image.width;
  image.planes.resize(static_cast<size_t>(image.channels * area));
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* row = decoded.ptr<uint8_t>(static_cast<int>(y));
    for (int64_t channel = 0; channel < image.channels; ++channel) {  // OpenCV's order is blue, green, red
      uint8_t* out = image.planes.data() + (image.channels - 1 - channel) * area + y * image.width;
      for (int64_t x = 0; x < image.width; ++x) out[x] = row[x * image.channels + channel];
    }
  }
  return image;
}

void resize_lanczos(const Image& image, int64_t height, int64_t width, uint8_t* out) {
  resize(image, {image.height, height, 0, height}, {image.width, width, 0, width}, out);
}

void resize_and_crop(const Image& image, int64_t side, uint8_t* out) {
  const auto middle = [&](int64_t in) {
    const int64_t full = std::max(side, in * side / std::min(image.height, image.width));
    return Sizes{in, full, (full - side) / 2, side};
  };
  resize(image, middle(image.height), middle(image.width), out);
}

}  // namespace innerloop
