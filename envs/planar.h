// What a drawing of an environment in the plane needs: plain figures, in metres. An environment that can be
// drawn so also derives from Planar; one that does not (and has no MujocoScene) is drawn as its observations,
// actions and rewards over time.
#pragma once

#include <Eigen/Geometry>
#include <optional>
#include <vector>

#include "envs/environment.h"

namespace innerloop {

// A convex figure: one point is a disc, two are a bar, more are corners; all that is within `radius` of it.
struct Shape {
  std::vector<Eigen::Vector2d> points;
  double radius = 0;
};

Shape make_disc(const Eigen::Vector2d& centre, double radius);
Shape make_box(const Eigen::AlignedBox2d& box);
Eigen::AlignedBox2d bounds(const Shape& shape);

// What does not move.
struct PlanarScene {
  enum class View {
    kFromAbove,
    kFromTheSide,  // what moves goes along x: its way is drawn below the scene, later is lower
  };

  Eigen::AlignedBox2d arena;         // what a picture shows at least; it grows to hold what is filmed
  std::vector<Shape> solid{};        // walls, a rail
  std::optional<Shape> goal{};       // all places of success, for the body's position
  std::vector<Shape> other_goals{};  // of the other tasks where they are finitely many
  View view = View::kFromAbove;
};

// What moves.
struct PlanarPose {
  Eigen::Vector2d position;   // leaves a trail
  std::vector<Shape> body{};  // what stands there, later ones in front
};

class Planar {
 public:
  virtual ~Planar() = default;
  virtual PlanarScene scene() const = 0;  // of the task set last
  virtual PlanarPose pose() const = 0;    // after the last reset or step
};

// The environment as Planar, also inside an ObserveTask; null where it cannot be drawn so.
const Planar* planar(const Environment& environment);

}  // namespace innerloop
