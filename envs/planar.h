// What a drawing of a planar point-robot environment needs. An environment that can be drawn so also derives
// from Planar; the first two entries of its observation are the robot's position.
#pragma once

#include <Eigen/Geometry>
#include <vector>

#include "envs/environment.h"

namespace innerloop {

struct PlanarScene {
  Eigen::AlignedBox2d arena;               // what the picture shows, in metres
  std::vector<Eigen::AlignedBox2d> walls;  // solid
  Eigen::Vector2d goal = Eigen::Vector2d::Zero();
  double goal_radius = 0.01;
  double body_radius = 0.01;
  std::vector<Eigen::Vector2d> other_goals;  // goals of the other tasks where there are finitely many
};

class Planar {
 public:
  virtual ~Planar() = default;
  virtual PlanarScene scene() const = 0;  // of the task set last
};

// The environment as Planar, also inside an ObserveTask; null where it cannot be drawn so.
const Planar* planar(const Environment& environment);

}  // namespace innerloop
