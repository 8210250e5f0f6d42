#include "meta/algorithms/affine_distortion.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace innerloop {
namespace {

template <class T>
void distort_into(const torch::Tensor& image, const AffineMap& source, torch::Tensor& out) {
  const int64_t channels = image.size(0), height = image.size(1), width = image.size(2);
  const T* from = image.data_ptr<T>();
  T* to = out.data_ptr<T>();
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  for (int64_t row = 0; row < height; ++row) {
    for (int64_t column = 0; column < width; ++column) {
      const double x = (static_cast<double>(column) + 0.5) / w - 0.5,
                   y = (static_cast<double>(row) + 0.5) / h - 0.5;
      const auto& m = source.m;
      // In pixels, whole numbers in their middles.
      const double u = std::clamp((m[0] * x + m[1] * y + m[2] + 0.5) * w - 0.5, 0.0, w - 1);
      const double v = std::clamp((m[3] * x + m[4] * y + m[5] + 0.5) * h - 0.5, 0.0, h - 1);
      // A rounding error's way from a pixel's middle is none.
      const double near_u = std::abs(u - std::round(u)) < 1e-9 ? std::round(u) : u;
      const double near_v = std::abs(v - std::round(v)) < 1e-9 ? std::round(v) : v;
      const auto left = static_cast<int64_t>(near_u), top = static_cast<int64_t>(near_v);
      const int64_t right = std::min(left + 1, width - 1), bottom = std::min(top + 1, height - 1);
      const auto a = static_cast<T>(near_u - static_cast<double>(left)),
                 b = static_cast<T>(near_v - static_cast<double>(top));
      for (int64_t c = 0; c < channels; ++c) {
        const T* plane = from + c * height * width;
        const auto at = [&](int64_t i, int64_t j) { return plane[i * width + j]; };
        const T upper = a == 0 ? at(top, left) : (1 - a) * at(top, left) + a * at(top, right);
        const T lower = a == 0 ? at(bottom, left) : (1 - a) * at(bottom, left) + a * at(bottom, right);
        to[(c * height + row) * width + column] = b == 0 ? upper : (1 - b) * upper + b * lower;
      }
    }
  }
}

}  // namespace

AffineMap affine_map(const AffineParts& p) {
  const double cos = std::cos(p.turn), sin = std::sin(p.turn);
  // [1 shear_x; shear_y 1] diag(scale)
  const double a = p.scale_x, b = p.shear_x * p.scale_y, c = p.shear_y * p.scale_x, d = p.scale_y;
  return {{cos * a - sin * c, cos * b - sin * d, p.shift_x, sin * a + cos * c, sin * b + cos * d, p.shift_y}};
}

AffineParts draw_affine_parts(Stream& stream) {
  AffineParts out;
  const auto draw = [&](double& to, double low, double high) {
    const double chance = stream.uniform(), value = stream.uniform(low, high);
    if (chance < 0.5) to = value;
  };
  const double degree = std::numbers::pi / 180;
  draw(out.turn, -10 * degree, 10 * degree);
  draw(out.shear_x, -0.3, 0.3);
  draw(out.shear_y, -0.3, 0.3);
  draw(out.scale_x, 0.8, 1.2);
  draw(out.scale_y, 0.8, 1.2);
  draw(out.shift_x, -2.0 / 105, 2.0 / 105);
  draw(out.shift_y, -2.0 / 105, 2.0 / 105);
  return out;
}

AffineMap inverse(const AffineMap& map) {
  const auto& [a, b, e, c, d, f] = map.m;
  const double det = a * d - b * c;
  require(std::isfinite(1 / det), "an affine map of determinant ", det, " has no inverse");
  return {{d / det, -b / det, (b * f - d * e) / det, -c / det, a / det, (c * e - a * f) / det}};
}

torch::Tensor distorted(const torch::Tensor& image, const AffineMap& map) {
  require(image.dim() == 3, "images [channels, height, width] are distorted, ", image.sizes(), " found");
  const torch::Tensor from = image.contiguous();
  torch::Tensor out = torch::empty_like(from);
  if (from.scalar_type() == torch::kFloat64) {
    distort_into<double>(from, inverse(map), out);
  } else {
    distort_into<float>(from, inverse(map), out);
  }
  return out;
}

}  // namespace innerloop
