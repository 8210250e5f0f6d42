#include "datasets/image_decode.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <numbers>
#include <opencv2/imgcodecs.hpp>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr int kWeightBits = 22;

// Of one dimension: output i is sum_k weights[first[i] + k] * input[from[i] + k], in units of 2^-22.
struct Kernel {
  int64_t in = 0, out = 0;
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

Kernel make_kernel(int64_t in, int64_t out) {
  Kernel kernel{.in = in, .out = out};
  const double scale = static_cast<double>(in) / static_cast<double>(out), widen = std::max(scale, 1.0);
  const double support = 3 * widen;
  std::vector<double> weights;
  for (int64_t i = 0; i < out; ++i) {
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
const Kernel& kernel_for(Kernel& last, int64_t in, int64_t out) {
  if (last.in != in || last.out != out) last = make_kernel(in, out);
  return last;
}

// Lines of `kernel.in` values become lines of `kernel.out`; values of a line lie `stride` apart in both.
void resample(const Kernel& kernel, const uint8_t* in, int64_t lines, int64_t in_step, int64_t out_step,
              int64_t stride, uint8_t* out) {
  for (int64_t line = 0; line < lines; ++line, in += in_step, out += out_step) {
    for (size_t i = 0; i < static_cast<size_t>(kernel.out); ++i) {
      const int32_t* weights = kernel.weights.data() + kernel.first[i];
      const uint8_t* from = in + kernel.from[i] * stride;
      int32_t sum = 1 << (kWeightBits - 1);
      for (int64_t k = 0; k < kernel.count[i]; ++k) sum += weights[k] * from[k * stride];
      out[static_cast<int64_t>(i) * stride] =
          static_cast<uint8_t>(std::clamp<int32_t>(sum >> kWeightBits, 0, 255));
    }
  }
}

bool starts_with(const std::vector<uint8_t>& bytes, std::initializer_list<int> start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
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
  std::string end = path.substr(path.find_last_of("./") + 1);
  std::transform(end.begin(), end.end(), end.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return path.find('.') != std::string::npos && (end == "png" || end == "jpg" || end == "jpeg");
}

Image decode_image(const std::vector<uint8_t>& bytes, int64_t channels, const std::string& name) {
  const bool png = starts_with(bytes, {0x89, 'P', 'N', 'G'}), jpeg = starts_with(bytes, {0xff, 0xd8, 0xff});
  require(png || jpeg, name, " is not an image: it has the bytes of neither a PNG nor a JPEG file");
  require(!jpeg || jpeg_ends(bytes), name, " is damaged: the JPEG data end too early");
  const int colour = channels == 1   ? cv::IMREAD_GRAYSCALE
                     : channels == 3 ? cv::IMREAD_COLOR
                                     : cv::IMREAD_ANYCOLOR;
  cv::Mat decoded;
  try {
    decoded = cv::imdecode(bytes, colour | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& e) {
    throw Error(concat(name, " cannot be decoded: ", e.err));
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
  if (image.height == height && image.width == width) {
    std::copy(image.planes.begin(), image.planes.end(), out);
    return;
  }
  thread_local Kernel last_horizontal, last_vertical;
  const auto& horizontal = kernel_for(last_horizontal, image.width, width);
  const auto& vertical = kernel_for(last_vertical, image.height, height);
  std::vector<uint8_t> rows(static_cast<size_t>(image.height * width));
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    const uint8_t* plane = image.planes.data() + channel * image.height * image.width;
    resample(horizontal, plane, image.height, image.width, width, 1, rows.data());
    resample(vertical, rows.data(), width, 1, 1, width, out + channel * height * width);
  }
}

}  // namespace innerloop
