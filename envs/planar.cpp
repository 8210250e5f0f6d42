#include "envs/planar.h"

#include "envs/observe_task.h"

namespace innerloop {

Shape make_disc(const Eigen::Vector2d& centre, double radius) { return {{centre}, radius}; }

Shape make_box(const Eigen::AlignedBox2d& box) {
  const auto low = box.min(), high = box.max();
  return {{low, {high.x(), low.y()}, high, {low.x(), high.y()}}};
}

Eigen::AlignedBox2d bounds(const Shape& shape) {
  Eigen::AlignedBox2d box;
  for (const auto& point : shape.points) {
    box.extend(Eigen::Vector2d(point.array() - shape.radius));
    box.extend(Eigen::Vector2d(point.array() + shape.radius));
  }
  return box;
}

const Planar* planar(const Environment& environment) {
  if (const auto* decorator = dynamic_cast<const ObserveTask*>(&environment))
    return planar(decorator->inner());
  return dynamic_cast<const Planar*>(&environment);
}

}  // namespace innerloop
