// A solid square wall around the origin with one gap in one of its sides.
#pragma once

#include <Eigen/Geometry>
#include <array>
#include <vector>

namespace innerloop {

struct SquareRing {
  double half_side = 0;  // from the origin to the middle of the wall, metres
  double gap_width = 0;
  double thickness = 0.1;
};

// How far a gap's centre may lie from the middle of its side: a stump as long as the wall is thick stays on
// either side. The centre itself is a point of the wall's middle line.
double gap_reach(const SquareRing& ring);

// The outline of the solid, counter-clockwise (Box2D takes the right-hand side of a chain's edges as the
// outside).
using RingOutline = std::array<Eigen::Vector2f, 12>;
RingOutline outline(const SquareRing& ring, const Eigen::Vector2d& gap);

// The same solid as five boxes, which overlap at the corners.
std::vector<Eigen::AlignedBox2d> boxes(const SquareRing& ring, const Eigen::Vector2d& gap);

}  // namespace innerloop
