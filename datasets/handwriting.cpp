#include "datasets/handwriting.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace innerloop {
namespace {

Character vary(Character character, double care, Stream& stream) {
  for (auto& stroke : character.strokes) {
    stroke.heading += care * 5 * kDegree * stream.normal();
    const double stroke_length = std::exp(care * 0.1 * stream.normal());
    for (auto& arc : stroke.arcs) {
      arc.length *= stroke_length * std::exp(care * 0.1 * stream.normal());
      // Straight lines come out slightly bent; bends vary in proportion.
      arc.turn += care * (4 * kDegree + 0.04 * std::abs(arc.turn)) * stream.normal();
      if (arc.corner != 0) arc.corner += care * 6 * kDegree * stream.normal();
    }
    if (stroke.parent >= 0) {
      const bool at_end = stroke.on == 0 || stroke.on == 1;
      stroke.on += care * (at_end ? 0.02 : 0.05) * stream.normal();
      if (stroke.own > 0 && stroke.own < 1) stroke.own += care * 0.05 * stream.normal();
      stroke.gap.x += care * 0.025 * stream.normal();
      stroke.gap.y += care * 0.025 * stream.normal();
    }
  }
  return character;
}

// A smooth displacement: waves of about a picture's width.
class Warp {
 public:
  Warp(double amplitude, Stream& stream) {
    for (auto& wave : waves_) {
      const double direction = stream.uniform(0, 2 * std::numbers::pi);
      const double frequency = 2 * std::numbers::pi * stream.uniform(0.6, 1.6);
      wave = {.kx = frequency * std::cos(direction),
              .ky = frequency * std::sin(direction),
              .phase = stream.uniform(0, 2 * std::numbers::pi),
              .x = amplitude * stream.normal(),
              .y = amplitude * stream.normal()};
    }
  }

  Point operator()(Point p) const {
    Point moved = p;
    for (const auto& wave : waves_) {
      const double height = std::sin(wave.kx * p.x + wave.ky * p.y + wave.phase);
      moved.x += wave.x * height;
      moved.y += wave.y * height;
    }
    return moved;
  }

 private:
  struct Wave {
    double kx = 0, ky = 0, phase = 0, x = 0, y = 0;
  };
  std::array<Wave, 3> waves_;
};

template <class Move>
void move(std::vector<Polyline>& lines, const Move& where) {
  for (auto& line : lines) {
    for (auto& p : line) p = where(p);
  }
}

}  // namespace

Hand sample_hand(Stream& stream) {
  Hand hand;
  hand.pen = stream.uniform(0.03, 0.05);
  hand.size = stream.uniform(0.52, 0.74);
  hand.slant = 0.14 * stream.normal();
  hand.aspect = std::exp(0.1 * stream.normal());
  hand.care = stream.uniform(0.7, 1.2);
  return hand;
}

std::vector<Polyline> write_by_hand(const Character& character, const Hand& hand, Stream& stream) {
  auto lines = trace(vary(character, hand.care, stream));
  const auto drawn = bounding_box(lines);
  const Point middle{(drawn.low.x + drawn.high.x) / 2, (drawn.low.y + drawn.high.y) / 2};
  const double angle = 7 * kDegree * stream.normal();
  const double size = hand.size * std::exp(0.08 * stream.normal());
  const double aspect = std::sqrt(hand.aspect * std::exp(0.08 * stream.normal()));
  const double slant = hand.slant + 0.06 * stream.normal();
  move(lines, [&](Point p) {
    const double x = size * aspect * (p.x - middle.x - slant * (p.y - middle.y));
    const double y = size / aspect * (p.y - middle.y);
    return Point{0.5 + std::cos(angle) * x - std::sin(angle) * y,
                 0.5 + std::sin(angle) * x + std::cos(angle) * y};
  });
  move(lines, Warp(0.018, stream));

  // Into the picture, at any place that a writer may choose in it.
  const auto box = bounding_box(lines);
  const double room = 1 - 2 * hand.pen;
  const double fit = std::min(1.0, room / std::max(box.high.x - box.low.x, box.high.y - box.low.y));
  const auto place = [&](double low, double high, double wish) {
    const double half = fit * (high - low) / 2;
    // Where the drawing fills the picture the two bounds are one place, give or take a rounding.
    const double from = std::max(hand.pen + half, std::min(wish, 1 - hand.pen - half));
    return from - fit * (low + high) / 2;
  };
  const double right = place(box.low.x, box.high.x, 0.5 + 0.07 * stream.normal());
  const double down = place(box.low.y, box.high.y, 0.5 + 0.07 * stream.normal());
  move(lines, [&](Point p) { return Point{fit * p.x + right, fit * p.y + down}; });
  return lines;
}

}  // namespace innerloop
