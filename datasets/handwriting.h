// A character drawn as another hand would.
#pragma once

#include "base/random.h"
#include "datasets/characters.h"

namespace innerloop {

// What one writer does to every character of an alphabet.
struct Hand {
  double pen = 0.04;  // width, picture widths
  double size = 0.6;  // larger side of a character of size 1, picture widths
  double slant = 0;   // shear, x per y
  double aspect = 1;  // width over height of a square
  double care = 1;    // 1: the deviations below as they stand; less is steadier
};

Hand sample_hand(Stream& stream);

// Carries out the character's program with a human's deviations: strokes differ in length, bend, direction
// and joint; the whole is turned, sheared, stretched, shifted and warped smoothly. Lines lie inside the
// picture by the pen's width.
std::vector<Polyline> write_by_hand(const Character& character, const Hand& hand, Stream& stream);

}  // namespace innerloop
