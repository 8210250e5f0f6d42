// Lines drawn as ink on a square picture.
#pragma once

#include <cstdint>
#include <vector>

namespace innerloop {

struct Point {
  double x = 0, y = 0;  // in picture widths from the upper left corner
};
using Polyline = std::vector<Point>;

// Draws the lines with a round pen, white (255) on black, into pixels[side][side]. A pixel's ink is what a
// one-pixel wide filter across the line's edge lets through, by the exact distance to the nearest line:
// 1/2 + (pen / 2 - distance) in pixels, within [0, 1].
void draw_ink(const std::vector<Polyline>& lines, double pen, int64_t side, uint8_t* pixels);

}  // namespace innerloop
