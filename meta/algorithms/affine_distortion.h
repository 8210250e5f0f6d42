// Random affine distortions of images (Koch, Zemel and Salakhutdinov 2015, section 4.1.1).
//
//   (theta, rho_x, rho_y, s_x, s_y, t_x, t_y):  theta in [-10, 10] degrees, rho in [-.3, .3], s in [.8, 1.2],
//   t in [-2, 2] of 105 pixels, uniform, each there with probability 1/2
//   a point p from the picture's middle goes to  R(theta) [1 rho_x; rho_y 1] diag(s_x, s_y) p + t
//
// [The ranges are from memory; in which order the parts are composed was not at hand.]
#pragma once

#include <array>

#include "base/random.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// Rows of [a b; c d | e f]: (x, y) -> (a x + b y + e, c x + d y + f), x to the right, y down, in widths and
// heights of the picture from its middle.
struct AffineMap {
  std::array<double, 6> m{1, 0, 0, 0, 1, 0};  // a b e, c d f
};

struct AffineParts {
  double turn = 0;  // radians, from x to y
  double shear_x = 0, shear_y = 0, scale_x = 1, scale_y = 1, shift_x = 0, shift_y = 0;
};

AffineMap affine_map(const AffineParts& parts);
AffineParts draw_affine_parts(Stream& stream);  // always as many numbers of the stream
AffineMap inverse(const AffineMap& map);        // Error where it has none

// The picture [channels, height, width] under the map: bilinear, and beyond the edge what lies on it. The
// identity gives the picture's own bits.
torch::Tensor distorted(const torch::Tensor& image, const AffineMap& map);

}  // namespace innerloop
