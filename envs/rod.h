// A uniform rod in a Box2D world, turning about one of its ends: the pole of a cart, a pendulum.
#pragma once

class b2Body;
class b2World;

namespace innerloop {

struct RodDef {
  double mass = 1, length = 1;      // kg, m
  double pivot_x = 0, pivot_y = 0;  // m, of the end about which it turns
  double pivot_velocity = 0;        // m/s, along x
  double angle = 0;                 // radians from upright, to the right (clockwise)
  double angular_velocity = 0;      // of the angle, rad/s
};

// The rod, free to move; what holds its end is a joint of the caller's. It collides with nothing. Its mass is
// m, its moment of inertia about the pivot m length^2 / 3.
b2Body* add_rod(b2World& world, const RodDef& def);

// Its angle and its change, as in RodDef; the angle is not wrapped.
double rod_angle(const b2Body& rod);
double rod_angular_velocity(const b2Body& rod);

}  // namespace innerloop
