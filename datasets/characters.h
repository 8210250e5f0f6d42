// Invented alphabets: characters as programs of strokes (in the manner of Lake, Salakhutdinov and Tenenbaum,
// "Human-level concept learning through probabilistic program induction", Science 2015: an alphabet shares
// primitives, a character joins them by relations, and every drawing carries the program out anew).
#pragma once

#include <cstdint>
#include <numbers>
#include <vector>

#include "datasets/ink.h"

namespace innerloop {

inline constexpr double kDegree = std::numbers::pi / 180;  // radians

// A piece of constant curvature.
struct Arc {
  double corner = 0;  // change of heading before it, radians, clockwise in the picture
  double length = 1;
  double turn = 0;  // change of heading along it, radians
};

// One movement of the pen. It starts with `heading` (radians from +x towards +y, downwards), and is placed so
// that its point at fraction `own` of its length lies at the point `on` of stroke `parent`; the first stroke
// has no parent (-1). `gap` is added to that point: a stroke may stand beside its parent.
struct Stroke {
  std::vector<Arc> arcs;
  double heading = 0;
  int parent = -1;
  double on = 0, own = 0;
  Point gap;
};

struct Character {
  std::vector<Stroke> strokes;
};

// The stroke's line from the origin, in the units of its lengths; bends by at most 0.2 radians a point.
Polyline trace(const Stroke& stroke);

// The lines of all strokes in their places.
std::vector<Polyline> trace(const Character& character);

// The smallest box about the lines.
struct Box {
  Point low, high;
};
Box bounding_box(const std::vector<Polyline>& lines);

// `count` characters of one alphabet: share primitives and a manner of joining them, and differ to the eye. A
// pure function of (seed, alphabet). Their larger side has a length of about 1.
std::vector<Character> invent_alphabet(uint64_t seed, uint64_t alphabet, int64_t count);

}  // namespace innerloop
