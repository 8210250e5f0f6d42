// A point robot in the plane that must reach a goal it is not shown (Finn et al. 2017, section 5.3), as a
// body of a Box2D world: an action sets the body's velocity for one time step, so that it moves by exactly
// the chosen displacement where nothing is in its way. No gravity, no damping, no friction, no rotation.
//
// observation  position (x, y), metres
// action       continuous: displacement per axis in metres, or (normalised) in units of `max_move`; clipped
//              to +-max_move. discrete: 0 stays, 1..8 move by max_move per axis to E NE N NW W SW S SE.
// reward       with s' the new position, s the old one, g the goal (of this step, not discounted):
//              dense   -|s' - g|_2, the distance itself (the MAML paper's text has its square, its code has
//              not) sparse  0 where |s'|_1 < 0.5; else |s - g| - |s' - g| if g is the corner nearest to s';
//              else 0
// task         goal_x, goal_y; with walls also the centre of the gap in either wall
//
// name                         goal            start         action                 reward  ends H
// navigation_2d                U(-.5, .5)^2    (0, 0)        normalised, +-1 = .1   dense   in the .01 box
// 100 navigation_2d_raw            U(-.5, .5)^2    (0, 0)        metres, +-.1           dense   in the .01
// box   100 navigation_2d_discrete       U(-.5, .5)^2    (0, 0)        9 choices, .1          dense   in the
// .05 box   100 navigation_2d_corners        (+-2, +-2)      U(-.2, .2)^2  metres, +-.2           dense never
// 100 navigation_2d_corners_sparse (+-2, +-2)      U(-.2, .2)^2  metres, +-.2           sparse  never 100
// navigation_2d_walls          (+-2, +-2)      U(-.2, .2)^2  metres, +-.2           dense   never 100
//
// The box of half-width b: |x - g_x| < b and |y - g_y| < b. Success is being in the box; for the corners,
// within 0.2 (one move) of the goal. A discrete robot visits the points of a grid of pitch 0.1, and the .05
// box of a goal holds one of them.
//
// Sources: navigation_2d is maml_examples/point_env_randgoal.py of the MAML paper's code inside rllab's
// normalize(); _raw is pytorch-maml-rl's 2DNavigation-v0; _corners are ProMP's MetaPointEnvCorner,
// reward_type 'dense' and 'sparse' (its default); _walls is after ProMP's MetaPointEnvWalls, with solid walls
// in place of its projection of the position; _discrete is navigation_2d for categorical policies.
//
// Walls (navigation_2d_walls): two square rings around the origin (square_ring.h), of half-side 0.7 and 1.4
// to the middle of the wall, about the squares inscribed in ProMP's circles of radius 1 and 2; 0.1 thick.
// Each has one gap, 0.7 wide: on a side drawn uniformly, its centre drawn uniformly within 0.2 (inner ring)
// or 0.9 (outer ring) of the side's middle. The body is a disc of radius 0.05, which stops at a wall and
// slides along it with the tangential part of its move; Box2D lets it press about 0.005 into a wall and may
// keep it 0.01 away from it. Outside the rings the plane is open.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "envs/call_checks.h"
#include "envs/environment.h"
#include "envs/planar.h"
#include "envs/square_ring.h"

class b2World;
class b2Body;

namespace innerloop {

struct Navigation2dDef {
  enum class Actions { kNormalised, kMetres, kCompass };
  enum class Goals { kUniform, kCorners };
  enum class Reward { kDense, kSparse };

  std::string name;
  std::string description;
  int64_t horizon = 100;
  Actions actions = Actions::kNormalised;
  double max_move = 0.1;  // per axis and step, metres
  Goals goals = Goals::kUniform;
  double goal_range = 0.5;  // uniform: U(-goal_range, goal_range)^2; corners: (+-goal_range, +-goal_range)
  double start_range = 0;   // starts from U(-start_range, start_range)^2
  Reward reward = Reward::kDense;
  double start_radius = 0.5;        // sparse reward: none within this 1-norm of the origin
  double goal_box = 0.01;           // half-width of the box that ends the episode; 0: never ends
  double success_radius = 0.2;      // where the episode never ends: success within this distance of the goal
  double body_radius = 0.02;        // without walls only drawn
  std::vector<SquareRing> rings{};  // solid walls; each adds its gap's centre to the task
};

// The variants of the table above.
Navigation2dDef navigation_2d();
Navigation2dDef navigation_2d_raw();
Navigation2dDef navigation_2d_discrete();
Navigation2dDef navigation_2d_corners();
Navigation2dDef navigation_2d_corners_sparse();
Navigation2dDef navigation_2d_walls();

class Navigation2d : public Environment, public Planar {
 public:
  explicit Navigation2d(const Navigation2dDef& def);
  ~Navigation2d() override;

  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override;
  void set_task(const Eigen::VectorXd& task) override;  // refuses a gap that is not on its wall
  void reset(Stream& stream, ObservationRef observation) override;
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override;
  std::vector<Eigen::VectorXd> finite_tasks() const override;  // the corners, where there are no walls
  std::string task_text(const Eigen::VectorXd& task) const override;
  PlanarScene scene() const override;
  PlanarPose pose() const override;

 private:
  Eigen::Vector2f displacement(const ActionRef& action) const;
  double reward(const Eigen::Vector2d& before, const Eigen::Vector2d& after) const;
  void build_world();
  bool is_free(const Eigen::Vector2f& from, const Eigen::Vector2f& to) const;
  void move(const Eigen::Vector2f& displacement);
  Eigen::Vector2f position() const;
  Shape goal_at(const Eigen::Vector2d& place) const;  // where success is

  Navigation2dDef def_;
  EnvironmentSpec spec_;
  Eigen::Vector2d goal_ = Eigen::Vector2d::Zero();
  std::vector<Eigen::Vector2d> corners_;
  std::vector<Eigen::Vector2d> gaps_;  // of the task set last, one for each ring
  std::vector<Eigen::AlignedBox2d> walls_;
  CallChecks checks_;
  std::unique_ptr<b2World> world_;  // null until the first reset after set_task
  b2Body* body_ = nullptr;          // owned by the world
};

}  // namespace innerloop
