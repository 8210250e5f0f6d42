#include "envs/navigation_2d.h"

#include <box2d/box2d.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace innerloop {
namespace {

// A power of two, so that velocity * time step is the asked displacement without rounding.
constexpr float kTimeStep = 0.125f;  // seconds

constexpr std::array<std::array<float, 2>, 9> kCompass{
    {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}}};

}  // namespace

Navigation2dDef navigation_2d() {
  return {.name = "navigation_2d",
          .description =
              "point robot, goals U(-0.5, 0.5)^2, normalised actions, ends at the goal (MAML paper's code)"};
}

Navigation2dDef navigation_2d_raw() {
  Navigation2dDef def = navigation_2d();
  def.name = "navigation_2d_raw";
  def.description =
      "navigation_2d with actions in metres, clipped to 0.1 and not normalised (pytorch-maml-rl)";
  def.actions = Navigation2dDef::Actions::kMetres;
  return def;
}

Navigation2dDef navigation_2d_discrete() {
  Navigation2dDef def = navigation_2d();
  def.name = "navigation_2d_discrete";
  def.description =
      "navigation_2d with nine choices: stay, or one of eight compass moves (categorical policies)";
  def.actions = Navigation2dDef::Actions::kCompass;
  def.goal_box = 0.05;
  return def;
}

Navigation2dDef navigation_2d_corners() {
  return {.name = "navigation_2d_corners",
          .description = "point robot, four corner goals (+-2, +-2), minus distance as reward (ProMP, dense)",
          .actions = Navigation2dDef::Actions::kMetres,
          .max_move = 0.2,
          .goals = Navigation2dDef::Goals::kCorners,
          .goal_range = 2,
          .start_range = 0.2,
          .goal_box = 0,
          .body_radius = 0.05};
}

Navigation2dDef navigation_2d_corners_sparse() {
  Navigation2dDef def = navigation_2d_corners();
  def.name = "navigation_2d_corners_sparse";
  def.description =
      "navigation_2d_corners, progress rewarded only where the goal is the nearest corner (ProMP, sparse)";
  def.reward = Navigation2dDef::Reward::kSparse;
  return def;
}

Navigation2dDef navigation_2d_walls() {
  Navigation2dDef def = navigation_2d_corners();
  def.name = "navigation_2d_walls";
  def.description =
      "navigation_2d_corners behind two solid square walls, each with a gap drawn per task (after ProMP)";
  def.rings = {{.half_side = 0.7, .gap_width = 0.7}, {.half_side = 1.4, .gap_width = 0.7}};
  return def;
}

Navigation2d::Navigation2d(const Navigation2dDef& def) : def_(def) {
  spec_.name = def.name;
  spec_.description = def.description;
  spec_.observation_size = 2;
  const bool discrete = def.actions == Navigation2dDef::Actions::kCompass;
  spec_.action_kind = discrete ? ActionKind::kDiscrete : ActionKind::kContinuous;
  spec_.action_size = discrete ? static_cast<int64_t>(kCompass.size()) : 2;
  spec_.horizon = def.horizon;
  spec_.task_parameters = {"goal_x", "goal_y"};
  for (size_t ring = 1; ring <= def.rings.size(); ++ring) {
    for (const char* axis : {"x", "y"}) spec_.task_parameters.push_back(concat("gap_", ring, "_", axis));
  }
  spec_.observation_names = {"x", "y"};
  spec_.action_names = discrete ? std::vector<std::string>{"choice"} : std::vector<std::string>{"dx", "dy"};
  spec_.step_seconds = kTimeStep;
  spec_.defines_success = true;
  if (def.goals == Navigation2dDef::Goals::kCorners) {
    const double c = def.goal_range;
    corners_ = {{-c, -c}, {c, -c}, {-c, c}, {c, c}};
  }
}

Navigation2d::~Navigation2d() = default;

Eigen::VectorXd Navigation2d::sample_task(Stream& stream) const {
  Eigen::VectorXd task(spec_.task_size());
  if (corners_.empty()) {
    for (const int axis : {0, 1}) task[axis] = stream.uniform(-def_.goal_range, def_.goal_range);
  } else {
    task.head<2>() = corners_[stream.below(corners_.size())];
  }
  Eigen::Index entry = 2;
  for (const auto& ring : def_.rings) {
    const uint64_t side = stream.below(4);  // E, N, W, S
    const double reach = gap_reach(ring);
    const Eigen::Index across = entry + static_cast<Eigen::Index>(side % 2);
    const Eigen::Index along = entry + 1 - static_cast<Eigen::Index>(side % 2);
    task[across] = side < 2 ? ring.half_side : -ring.half_side;
    task[along] = stream.uniform(-reach, reach);
    entry += 2;
  }
  return task;
}

void Navigation2d::set_task(const Eigen::VectorXd& task) {
  CallChecks::check_task(spec_, task);
  std::vector<Eigen::Vector2d> gaps;
  for (const auto& ring : def_.rings) {
    const Eigen::Vector2d gap = task.segment<2>(2 + 2 * static_cast<Eigen::Index>(gaps.size()));
    const double across = gap.cwiseAbs().maxCoeff();
    const double along = gap.cwiseAbs().minCoeff();
    const double reach = gap_reach(ring);
    require(std::abs(across - ring.half_side) < 1e-6 && along <= reach + 1e-6, spec_.name, ": gap centre (",
            gap.transpose(), ") is not on its wall, expected one coordinate +-", ring.half_side,
            " and the other within +-", reach);
    gaps.push_back(gap);
  }
  goal_ = task.head<2>();
  walls_.clear();
  for (size_t ring = 0; ring < gaps.size(); ++ring) {
    const auto sides = boxes(def_.rings[ring], gaps[ring]);
    walls_.insert(walls_.end(), sides.begin(), sides.end());
  }
  gaps_ = std::move(gaps);
  checks_.set_task(spec_, task);
  body_ = nullptr;  // the next reset builds the world of this task
  world_.reset();
}

// A world of its own for every episode where there are walls: contacts, broad phase and proxies of an earlier
// episode cannot be felt in this one. Without walls the world has no state but the position.
void Navigation2d::build_world() {
  world_ = std::make_unique<b2World>(b2Vec2(0, 0));
  world_->SetAllowSleeping(false);
  world_->SetWarmStarting(false);  // last step's impulses answer last step's action
  b2BodyDef body;
  body.type = b2_dynamicBody;
  body.fixedRotation = true;
  body.bullet = true;
  body_ = world_->CreateBody(&body);
  if (walls_.empty()) return;

  b2CircleShape disc;
  disc.m_radius = static_cast<float>(def_.body_radius);
  body_->CreateFixture(&disc, 1);

  const b2BodyDef fixed;
  b2Body* ground = world_->CreateBody(&fixed);
  for (size_t ring = 0; ring < gaps_.size(); ++ring) {
    const auto points = outline(def_.rings[ring], gaps_[ring]);
    std::array<b2Vec2, std::tuple_size_v<RingOutline>> vertices;
    for (size_t k = 0; k < points.size(); ++k) vertices[k].Set(points[k].x(), points[k].y());
    b2ChainShape chain;  // one chain, since a disc catches on the vertices of a seam between two boxes
    chain.CreateLoop(vertices.data(), static_cast<int32>(vertices.size()));
    b2FixtureDef wall;
    wall.shape = &chain;
    wall.friction = 0;  // so is that of a contact, the geometric mean of two
    ground->CreateFixture(&wall);
  }
}

void Navigation2d::reset(Stream& stream, ObservationRef observation) {
  checks_.reset(spec_, observation);
  Eigen::Vector2f start = Eigen::Vector2f::Zero();
  if (def_.start_range > 0) {
    for (float& x : start) x = static_cast<float>(stream.uniform(-def_.start_range, def_.start_range));
  }
  if (!world_ || !walls_.empty()) build_world();
  body_->SetTransform(b2Vec2(start.x(), start.y()), 0);
  observation.head<2>() = start;
}

StepResult Navigation2d::step(const ActionRef& action, Stream&, ObservationRef observation) {
  checks_.step(spec_, action, observation);
  const Eigen::Vector2d before = position().cast<double>();
  move(displacement(action));
  observation.head<2>() = position();
  const Eigen::Vector2d after = position().cast<double>();
  const Eigen::Vector2d offset = after - goal_;

  StepResult result;
  result.reward = reward(before, after);
  if (def_.goal_box > 0) {
    result.terminated = result.success = offset.cwiseAbs().maxCoeff() < def_.goal_box;
  } else {
    result.success = offset.norm() < def_.success_radius;
  }
  return result;
}

Eigen::Vector2f Navigation2d::displacement(const ActionRef& action) const {
  const float limit = static_cast<float>(def_.max_move);
  if (def_.actions == Navigation2dDef::Actions::kCompass) {
    const auto& direction = kCompass[static_cast<size_t>(action[0])];
    return {direction[0] * limit, direction[1] * limit};
  }
  const float scale = def_.actions == Navigation2dDef::Actions::kNormalised ? limit : 1.0f;
  return (action * scale).cwiseMax(-limit).cwiseMin(limit);
}

double Navigation2d::reward(const Eigen::Vector2d& before, const Eigen::Vector2d& after) const {
  const double distance = (after - goal_).norm();
  if (def_.reward == Navigation2dDef::Reward::kDense) return -distance;
  if (after.lpNorm<1>() < def_.start_radius) return 0;
  const bool nearest = std::all_of(corners_.begin(), corners_.end(),
                                   [&](const Eigen::Vector2d& c) { return distance <= (after - c).norm(); });
  return nearest ? (before - goal_).norm() - distance : 0;
}

// No wall is near the straight way.
bool Navigation2d::is_free(const Eigen::Vector2f& from, const Eigen::Vector2f& to) const {
  const double margin = def_.body_radius + 4 * b2_polygonRadius;
  Eigen::AlignedBox2d swept(from.cast<double>());
  swept.extend(to.cast<double>());
  swept.min().array() -= margin;
  swept.max().array() += margin;
  return std::none_of(walls_.begin(), walls_.end(), [&](const auto& wall) { return wall.intersects(swept); });
}

void Navigation2d::move(const Eigen::Vector2f& displacement) {
  const Eigen::Vector2f to = position() + displacement;
  if (is_free(position(), to)) {
    // What b2World::Step does to a body that touches nothing, bit for bit (tested), without the fourteen
    // clock readings of its profile, which are 85 % of its time.
    body_->SetTransform(b2Vec2(to.x(), to.y()), 0);
    return;
  }
  constexpr int kVelocityIterations = 8, kPositionIterations = 3;  // the Box2D manual's
  const Eigen::Vector2f velocity = displacement / kTimeStep;
  body_->SetLinearVelocity(b2Vec2(velocity.x(), velocity.y()));
  world_->Step(kTimeStep, kVelocityIterations, kPositionIterations);
}

Eigen::Vector2f Navigation2d::position() const { return {body_->GetPosition().x, body_->GetPosition().y}; }

Shape Navigation2d::goal_at(const Eigen::Vector2d& place) const {
  if (def_.goal_box == 0) return make_disc(place, def_.success_radius);
  const Eigen::Vector2d half = Eigen::Vector2d::Constant(def_.goal_box);
  return make_box({place - half, place + half});
}

PlanarScene Navigation2d::scene() const {
  checks_.require_task(spec_, "scene");
  const Eigen::Vector2d corner =
      Eigen::Vector2d::Constant(def_.goal_range + (def_.goal_box > 0 ? def_.goal_box : def_.success_radius));
  PlanarScene scene{.arena = {-corner, corner}, .goal = goal_at(goal_)};
  for (const auto& wall : walls_) scene.solid.push_back(make_box(wall));
  for (const auto& other : corners_) {
    if (other != goal_) scene.other_goals.push_back(goal_at(other));
  }
  return scene;
}

PlanarPose Navigation2d::pose() const {
  const Eigen::Vector2d place = position().cast<double>();
  return {place, {make_disc(place, def_.body_radius)}};
}

std::vector<Eigen::VectorXd> Navigation2d::finite_tasks() const {
  if (!def_.rings.empty()) return {};
  return {corners_.begin(), corners_.end()};
}

std::string Navigation2d::task_text(const Eigen::VectorXd& task) const {
  std::string text;
  for (Eigen::Index i = 0; i + 1 < task.size(); i += 2) {
    text += i == 0 ? "goal" : concat(", gap ", i / 2);
    text += " (" + two_digits(task[i]) + ", " + two_digits(task[i + 1]) + ")";
  }
  return text;
}

}  // namespace innerloop
