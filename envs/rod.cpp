#include "envs/rod.h"

#include <box2d/box2d.h>

#include <cmath>

namespace innerloop {

b2Body* add_rod(b2World& world, const RodDef& def) {
  const double half = def.length / 2;
  b2BodyDef body;
  body.type = b2_dynamicBody;
  body.position.Set(static_cast<float>(def.pivot_x), static_cast<float>(def.pivot_y));
  body.angle = static_cast<float>(-def.angle);  // Box2D turns counter-clockwise
  b2Body* const rod = world.CreateBody(&body);
  b2MassData mass;
  mass.mass = static_cast<float>(def.mass);
  mass.center.Set(0, static_cast<float>(half));
  mass.I = static_cast<float>(def.mass * def.length * def.length / 3);  // about the body's origin, the pivot
  rod->SetMassData(&mass);
  // Box2D's linear velocity is that of the centre of mass.
  rod->SetLinearVelocity(
      b2Vec2(static_cast<float>(def.pivot_velocity + half * std::cos(def.angle) * def.angular_velocity),
             static_cast<float>(-half * std::sin(def.angle) * def.angular_velocity)));
  rod->SetAngularVelocity(static_cast<float>(-def.angular_velocity));
  return rod;
}

double rod_angle(const b2Body& rod) { return -static_cast<double>(rod.GetAngle()); }

double rod_angular_velocity(const b2Body& rod) { return -static_cast<double>(rod.GetAngularVelocity()); }

}  // namespace innerloop
