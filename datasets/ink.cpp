#include "datasets/ink.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace innerloop {
namespace {

// Lowers squared[r][c] to the squared distance of pixel (r, c) to the line a-b, where that is below reach^2.
// All in pixels; pixel (r, c) has its middle at x = c, y = r.
void approach(Point a, Point b, double reach, int64_t side, std::vector<double>& squared) {
  const auto first = [&](double p) {
    return std::max<int64_t>(0, static_cast<int64_t>(std::ceil(p - reach)));
  };
  const auto last = [&](double p) {
    return std::min<int64_t>(side - 1, static_cast<int64_t>(std::floor(p + reach)));
  };
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  const double inverse = length > 0 ? 1 / length : 0;
  const int64_t left = first(std::min(a.x, b.x)), right = last(std::max(a.x, b.x));
  for (int64_t r = first(std::min(a.y, b.y)); r <= last(std::max(a.y, b.y)); ++r) {
    const double y = static_cast<double>(r) - a.y;
    double* row = squared.data() + r * side;
    for (int64_t c = left; c <= right; ++c) {
      const double x = static_cast<double>(c) - a.x;
      const double along = std::clamp((x * dx + y * dy) * inverse, 0.0, 1.0);
      const double across_x = x - along * dx, across_y = y - along * dy;
      row[c] = std::min(row[c], across_x * across_x + across_y * across_y);
    }
  }
}

}  // namespace

void draw_ink(const std::vector<Polyline>& lines, double pen, int64_t side, uint8_t* pixels) {
  const double scale = static_cast<double>(side);
  const double reach = pen * scale / 2 + 0.5;
  std::vector<double> squared(static_cast<size_t>(side * side), std::numeric_limits<double>::infinity());
  const auto in_pixels = [&](Point p) { return Point{p.x * scale - 0.5, p.y * scale - 0.5}; };
  for (const auto& line : lines) {
    for (size_t i = 0; i + 1 < line.size(); ++i) {
      approach(in_pixels(line[i]), in_pixels(line[i + 1]), reach, side, squared);
    }
  }
  for (size_t i = 0; i < squared.size(); ++i) {
    pixels[i] = squared[i] >= reach * reach
                    ? uint8_t{0}
                    : static_cast<uint8_t>(std::lround(255 * std::min(1.0, reach - std::sqrt(squared[i]))));
  }
}

}  // namespace innerloop
