#include "datasets/image_operations.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "base/error.h"

namespace innerloop {
namespace {

cv::Mat plane_of(const ImageShape& shape, const float* image, int64_t channel) {
  return cv::Mat(static_cast<int>(shape.height), static_cast<int>(shape.width), CV_32F,
                 const_cast<float*>(image) + channel * shape.area());
}

float luminance(float r, float g, float b) { return 0.299F * r + 0.587F * g + 0.114F * b; }

float unit(float x) { return std::clamp(x, 0.F, 1.F); }

void require_colours(const ImageShape& shape) {
  require(shape.channels == 3, "an image of ", shape.channels, " channels found, expected 3");
}

struct Rgb {
  float r, g, b;
};

// Hue in [0, 6), saturation and value in [0, 1] (as torchvision's adjust_hue goes by).
Rgb with_turned_hue(const Rgb& in, float turn) {
  const float most = std::max({in.r, in.g, in.b}), range = most - std::min({in.r, in.g, in.b});
  if (range == 0) return in;
  const float sector = most == in.r   ? (in.g - in.b) / range
                       : most == in.g ? 2 + (in.b - in.r) / range
                                      : 4 + (in.r - in.g) / range;
  float hue = sector + 6 * turn;
  hue -= 6 * std::floor(hue / 6);
  // Of each channel how far it falls below the largest: hue n + c goes through 0, 1, 1, 0, 0 in its sixths.
  const auto channel = [&](float n) {
    float k = n + hue;
    if (k >= 6) k -= 6;
    return most - range * unit(std::min(k, 4 - k));
  };
  return {channel(5), channel(3), channel(1)};
}

}  // namespace

void resized_crop(const ImageShape& shape, const float* from, const ImageBox& box, float* to) {
  require(box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 &&
              box.top + box.height <= shape.height && box.left + box.width <= shape.width,
          "a crop of ", box.height, " x ", box.width, " at row ", box.top, " and column ", box.left,
          " found, expected one within ", shape.height, " x ", shape.width);
  if (box.height == shape.height && box.width == shape.width) {
    std::copy_n(from, shape.size(), to);
    return;
  }
  const cv::Rect part(static_cast<int>(box.left), static_cast<int>(box.top), static_cast<int>(box.width),
                      static_cast<int>(box.height));
  for (int64_t c = 0; c < shape.channels; ++c) {
    cv::Mat out = plane_of(shape, to, c);
    cv::resize(plane_of(shape, from, c)(part), out, out.size(), 0, 0, cv::INTER_LINEAR);
  }
}

void flip_left_right(const ImageShape& shape, float* image) {
  for (int64_t row = 0; row < shape.channels * shape.height; ++row)
    std::reverse(image + row * shape.width, image + (row + 1) * shape.width);
}

void turned(const ImageShape& shape, const float* from, int64_t quarters, float* to) {
  require(quarters >= 0 && quarters <= 3, "a turn by ", quarters, " quarters found, expected 0 to 3");
  require(quarters % 2 == 0 || shape.height == shape.width, "an image of ", shape.height, " x ", shape.width,
          " found, expected a square one: it is turned by a quarter");
  const int64_t side = shape.height, last = side - 1;
  for (int64_t c = 0; c < shape.channels; ++c, from += shape.area(), to += shape.area()) {
    if (quarters == 0) {
      std::copy_n(from, shape.area(), to);
    } else if (quarters == 2) {
      std::reverse_copy(from, from + shape.area(), to);
    } else {
      for (int64_t row = 0; row < side; ++row) {
        for (int64_t column = 0; column < side; ++column) {
          to[row * side + column] =
              quarters == 1 ? from[column * side + last - row] : from[(last - column) * side + row];
        }
      }
    }
  }
}

void blur(const ImageShape& shape, double deviation, float* image) {
  const int reach = static_cast<int>(std::ceil(3 * deviation));
  for (int64_t c = 0; c < shape.channels; ++c) {
    cv::Mat plane = plane_of(shape, image, c);
    cv::GaussianBlur(plane, plane, {2 * reach + 1, 2 * reach + 1}, deviation, deviation,
                     cv::BORDER_REFLECT_101);
  }
}

void scale_brightness(const ImageShape& shape, double factor, float* image) {
  const auto f = static_cast<float>(factor);
  for (int64_t i = 0; i < shape.size(); ++i) image[i] = unit(f * image[i]);
}

void scale_contrast(const ImageShape& shape, double factor, float* image) {
  const int64_t area = shape.area();
  double sum = 0;
  for (int64_t i = 0; i < area; ++i) {
    sum += static_cast<double>(shape.channels == 3 ? luminance(image[i], image[area + i], image[2 * area + i])
                                                   : image[i]);
  }
  const auto f = static_cast<float>(factor);
  const float rest = (1 - f) * static_cast<float>(sum / static_cast<double>(area));
  for (int64_t i = 0; i < shape.size(); ++i) image[i] = unit(f * image[i] + rest);
}

void scale_saturation(const ImageShape& shape, double factor, float* image) {
  require_colours(shape);
  const auto f = static_cast<float>(factor);
  float *r = image, *g = r + shape.area(), *b = g + shape.area();
  for (int64_t i = 0; i < shape.area(); ++i) {
    const float rest = (1 - f) * luminance(r[i], g[i], b[i]);
    r[i] = unit(f * r[i] + rest);
    g[i] = unit(f * g[i] + rest);
    b[i] = unit(f * b[i] + rest);
  }
}

void turn_hue(const ImageShape& shape, double turn, float* image) {
  require_colours(shape);
  const auto by = static_cast<float>(turn);
  float *r = image, *g = r + shape.area(), *b = g + shape.area();
  for (int64_t i = 0; i < shape.area(); ++i) {
    const Rgb out = with_turned_hue({r[i], g[i], b[i]}, by);
    r[i] = out.r, g[i] = out.g, b[i] = out.b;
  }
}

void to_luminance(const ImageShape& shape, float* image) {
  require_colours(shape);
  float *r = image, *g = r + shape.area(), *b = g + shape.area();
  for (int64_t i = 0; i < shape.area(); ++i) r[i] = g[i] = b[i] = luminance(r[i], g[i], b[i]);
}

}  // namespace innerloop
