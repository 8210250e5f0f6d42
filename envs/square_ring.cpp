#include "envs/square_ring.h"

#include <cmath>

namespace innerloop {
namespace {

// A ring with its gap, in a frame turned by quarter turns so that the gap is in the right-hand side.
struct TurnedRing {
  Eigen::Matrix2d turn;  // from this frame to the world's
  double outside = 0;    // half-sides of the outer and the inner outline
  double inside = 0;
  double bottom = 0;  // the ends of the gap
  double top = 0;
};

TurnedRing turned(const SquareRing& ring, const Eigen::Vector2d& gap) {
  const bool across_x = std::abs(gap.x()) > std::abs(gap.y());
  const Eigen::Vector2d right =
      across_x ? Eigen::Vector2d(gap.x() > 0 ? 1 : -1, 0) : Eigen::Vector2d(0, gap.y() > 0 ? 1 : -1);
  TurnedRing out;
  out.turn << right.x(), -right.y(), right.y(), right.x();
  const double along = (out.turn.transpose() * gap).y();
  out.outside = ring.half_side + ring.thickness / 2;
  out.inside = ring.half_side - ring.thickness / 2;
  out.bottom = along - ring.gap_width / 2;
  out.top = along + ring.gap_width / 2;
  return out;
}

}  // namespace

double gap_reach(const SquareRing& ring) {
  return ring.half_side - 1.5 * ring.thickness - ring.gap_width / 2;
}

RingOutline outline(const SquareRing& square, const Eigen::Vector2d& gap) {
  const TurnedRing ring = turned(square, gap);
  const double o = ring.outside, i = ring.inside;
  const std::array<Eigen::Vector2d, 12> corners{{{o, ring.top},
                                                 {o, o},
                                                 {-o, o},
                                                 {-o, -o},
                                                 {o, -o},
                                                 {o, ring.bottom},
                                                 {i, ring.bottom},
                                                 {i, -i},
                                                 {-i, -i},
                                                 {-i, i},
                                                 {i, i},
                                                 {i, ring.top}}};
  RingOutline points;
  for (size_t k = 0; k < corners.size(); ++k) points[k] = (ring.turn * corners[k]).cast<float>();
  return points;
}

std::vector<Eigen::AlignedBox2d> boxes(const SquareRing& square, const Eigen::Vector2d& gap) {
  const TurnedRing ring = turned(square, gap);
  const double o = ring.outside, i = ring.inside;
  const std::array<std::array<double, 4>, 5> sides{{{i, -o, o, ring.bottom},  // low x, low y, high x, high y
                                                    {i, ring.top, o, o},
                                                    {-o, i, o, o},
                                                    {-o, -o, -i, o},
                                                    {-o, -o, o, -i}}};
  std::vector<Eigen::AlignedBox2d> out;
  for (const auto& side : sides) {
    Eigen::AlignedBox2d box(ring.turn * Eigen::Vector2d(side[0], side[1]));
    box.extend(ring.turn * Eigen::Vector2d(side[2], side[3]));
    out.push_back(box);
  }
  return out;
}

}  // namespace innerloop
