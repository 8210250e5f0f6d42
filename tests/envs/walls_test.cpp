// The solid walls of navigation_2d_walls. In these tests the inner gap is in the east and the outer one in
// the north, both in the middle of their sides, so that the inner wall's faces are at 0.65 and 0.75.
#include <box2d/box2d.h>

#include <cmath>
#include <numbers>

#include "envs/planar.h"
#include "envs/registry.h"
#include "envs/square_ring.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

constexpr double kBody = 0.05;
constexpr double kPress = 0.0075;  // how deep Box2D lets the body into a wall, and more
constexpr double kSkin = 0.011;    // how far it may keep it away

Eigen::VectorXd walls_task(const Eigen::Vector2d& gap_1 = {0.7, 0}, const Eigen::Vector2d& gap_2 = {0, 1.4}) {
  Eigen::VectorXd task(6);
  task << 2, 2, gap_1, gap_2;
  return task;
}

class Walk {
 public:
  explicit Walk(const Eigen::VectorXd& task)
      : environment_(make_environment({.name = "navigation_2d_walls"})) {
    environment_->set_task(task);
    environment_->reset(stream_, position_);
  }
  const Eigen::VectorXf& move(float x, float y) {
    environment_->step(Eigen::Vector2f(x, y), stream_, position_);
    return position_;
  }
  // In straight steps; stops where it can get no further.
  const Eigen::VectorXf& go_to(float x, float y, int steps = 40) {
    for (int t = 0; t < steps; ++t) {
      const Eigen::Vector2f rest = Eigen::Vector2f(x, y) - position_;
      const float longest = std::max(rest.cwiseAbs().maxCoeff() / 0.2f, 1.0f);
      move(rest.x() / longest, rest.y() / longest);
    }
    return position_;
  }
  double distance_to_walls() const {
    double nearest = 1e9;
    for (const auto& wall : planar(*environment_)->scene().solid) {
      nearest = std::min(nearest, bounds(wall).exteriorDistance(position_.cast<double>()));
    }
    return nearest;
  }
  const Eigen::VectorXf& position() const { return position_; }

 private:
  std::unique_ptr<Environment> environment_;
  Stream stream_ = test_stream(4);
  Eigen::VectorXf position_{2};
};

bool touches(double coordinate, double face, double direction) {
  const double gap = (face - coordinate) * direction - kBody;  // between the body and the wall's face
  return gap > -kPress && gap < kSkin;
}

}  // namespace

TEST_CASE("a wall stops the robot from inside and from outside", "[envs][walls]") {
  Walk walk(walls_task());
  walk.go_to(0, 0);
  CHECK(touches(walk.go_to(0, 3)[1], 0.65, 1));
  CHECK(walk.position()[0] == Approx(0).margin(1e-3));
  walk.go_to(0, 0);
  CHECK(touches(walk.go_to(-3, 0)[0], -0.65, -1));
  walk.go_to(0, 0);
  walk.go_to(1.05f, 0);  // out through the gap
  REQUIRE(walk.position()[0] == Approx(1.05).margin(1e-3));
  CHECK(touches(walk.go_to(3, 0)[0], 1.35, 1));  // against the outer wall
  walk.go_to(1.05f, 0);
  walk.go_to(1.05f, 0.5f);
  CHECK(touches(walk.go_to(-1, 0.5f)[0], 0.75,
                -1));  // back in beside the gap: the outer face of the inner wall
}

TEST_CASE("the robot slides along a wall with the tangential part of its move", "[envs][walls]") {
  Walk walk(walls_task());
  walk.go_to(-0.4f, 0);
  walk.go_to(-0.4f, 3, 10);
  for (int t = 0; t < 5; ++t) {
    const float before = walk.position()[0];
    const auto& after = walk.move(0.15f, 0.2f);
    CHECK(after[0] - before == Approx(0.15).margin(1e-4));
    CHECK(touches(after[1], 0.65, 1));
  }
  walk.go_to(0, 0);
  walk.go_to(0, 0.5f);
  const auto& hit = walk.move(0.1f, 0.2f);  // flies, then slides for the rest of the step
  CHECK(hit[0] == Approx(0.1).margin(2e-2));
  CHECK(touches(hit[1], 0.65, 1));
}

TEST_CASE("a wall is smooth from end to end", "[envs][walls]") {
  Walk walk(walls_task({0.7, 0}, {-1.4, 0}));  // down the whole outer face of the inner wall's west side
  walk.go_to(0, 0);
  walk.go_to(1.05f, 0);
  walk.go_to(1.05f, 1.05f);
  walk.go_to(-1.05f, 1.05f);
  walk.go_to(-0.81f, 0.7f);
  for (int t = 0; t < 10; ++t) {
    const float before = walk.position()[1];
    const auto& after = walk.move(0.05f, -0.14f);
    CHECK(after[1] - before == Approx(-0.14).margin(1e-3));
    CHECK(touches(after[0], -0.75, 1));
  }
}

TEST_CASE("the way through both gaps leads to the goal", "[envs][walls]") {
  const auto side = GENERATE(range(0, 4));  // the gaps and the way, in quarter turns
  const Eigen::Rotation2Dd turn(side * std::numbers::pi / 2);
  const auto at = [&](double x, double y) -> Eigen::Vector2d { return turn * Eigen::Vector2d(x, y); };
  Walk walk(walls_task(at(0.7, 0.2), at(-0.9, 1.4)));
  for (const auto& stop :
       {at(0, 0), at(0.3, 0.2), at(1.05, 0.2), at(1.05, 1.05), at(-0.9, 1.05), at(-0.9, 2)}) {
    walk.go_to(static_cast<float>(stop.x()), static_cast<float>(stop.y()));
    CHECK((walk.position().cast<double>() - stop).norm() < 0.05);
  }
}

TEST_CASE("no way of moving leads through or into a wall", "[envs][walls]") {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Stream stream = test_stream(seed);
    const auto environment = make_environment({.name = "navigation_2d_walls"});
    Walk walk(environment->sample_task(stream));
    const double angle = stream.uniform(0, 6.283);
    const bool straight = seed % 2 == 0;
    for (int t = 0; t < 100; ++t) {
      walk.move(static_cast<float>(straight ? 0.2 * std::cos(angle) : stream.normal()),
                static_cast<float>(straight ? 0.2 * std::sin(angle) : stream.normal()));
      REQUIRE(walk.distance_to_walls() > kBody - kPress);
    }
  }
}

TEST_CASE("the robot leaves a ring through its gap only", "[envs][walls]") {
  int left = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Stream stream = test_stream(seed);
    const auto environment = make_environment({.name = "navigation_2d_walls"});
    const Eigen::VectorXd task = environment->sample_task(stream);
    Walk walk(task);
    const Eigen::Vector2d gap = task.segment<2>(2);
    for (int t = 0; t < 100; ++t) {
      const Eigen::Vector2d before = walk.position().cast<double>();
      const Eigen::Vector2d after =
          walk.move(static_cast<float>(stream.normal()), static_cast<float>(stream.normal())).cast<double>();
      const bool crosses = (before.cwiseAbs().maxCoeff() < 0.7) != (after.cwiseAbs().maxCoeff() < 0.7);
      if (!crosses) continue;
      ++left;
      // The gap is 0.7 wide, and a step carries the body 0.2 further along.
      REQUIRE((after - gap).cwiseAbs().maxCoeff() < 0.35 + 0.2);
      REQUIRE((before - gap).cwiseAbs().maxCoeff() < 0.35 + 0.2);
    }
  }
  CHECK(left > 100);
}

TEST_CASE("the robot moves as a disc in a Box2D world that is stepped every time, bit for bit",
          "[envs][walls]") {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Stream stream = test_stream(seed);
    const auto environment = make_environment({.name = "navigation_2d_walls"});
    const Eigen::VectorXd task = environment->sample_task(stream);
    environment->set_task(task);
    Eigen::VectorXf position(2);
    environment->reset(stream, position);

    b2World world(b2Vec2(0, 0));
    world.SetWarmStarting(false);
    b2BodyDef def;
    def.type = b2_dynamicBody;
    def.fixedRotation = def.bullet = true;
    def.allowSleep = false;
    def.position.Set(position.x(), position.y());
    b2Body* body = world.CreateBody(&def);
    b2CircleShape disc;
    disc.m_radius = 0.05f;
    body->CreateFixture(&disc, 1)->SetFriction(0);
    const b2BodyDef fixed;
    for (const int ring : {0, 1}) {
      const auto points =
          outline({.half_side = ring == 0 ? 0.7 : 1.4, .gap_width = 0.7}, task.segment<2>(2 + 2 * ring));
      std::vector<b2Vec2> vertices;
      for (const auto& point : points) vertices.emplace_back(point.x(), point.y());
      b2ChainShape chain;
      chain.CreateLoop(vertices.data(), static_cast<int32>(vertices.size()));
      world.CreateBody(&fixed)->CreateFixture(&chain, 0)->SetFriction(0);
    }
    const auto dt = static_cast<float>(environment->spec().step_seconds);
    const double drift = stream.uniform(-0.1, 0.1);
    for (int t = 0; t < 100; ++t) {
      const Eigen::Vector2f move = Eigen::Vector2d(drift + 0.2 * stream.normal(), 0.2 * stream.normal())
                                       .cwiseMax(-0.2)
                                       .cwiseMin(0.2)
                                       .cast<float>();
      environment->step(move, stream, position);
      body->SetLinearVelocity(b2Vec2(move.x() / dt, move.y() / dt));
      world.Step(dt, 8, 3);
      REQUIRE(position.x() == body->GetPosition().x);
      REQUIRE(position.y() == body->GetPosition().y);
    }
  }
}

TEST_CASE("gaps are drawn on every side, and a gap elsewhere is refused", "[envs][walls]") {
  const auto environment = make_environment({.name = "navigation_2d_walls"});
  std::array<int, 4> sides{};
  double widest = 0;
  Stream stream = test_stream(1);
  for (int k = 0; k < 4000; ++k) {
    const Eigen::VectorXd task = environment->sample_task(stream);
    for (const int ring : {0, 1}) {
      const Eigen::Vector2d gap = task.segment<2>(2 + 2 * ring);
      const int across = std::abs(gap.x()) > std::abs(gap.y()) ? 0 : 1;
      REQUIRE(std::abs(gap[across]) == Approx(ring == 0 ? 0.7 : 1.4));
      if (ring == 0) {
        ++sides[static_cast<size_t>(across) + (gap[across] > 0 ? 2 : 0)];
        widest = std::max(widest, std::abs(gap[1 - across]));
      }
    }
    REQUIRE_NOTHROW(environment->set_task(task));
  }
  for (const int n : sides) CHECK(std::abs(n - 1000) < 4 * 28);
  CHECK(widest == Approx(0.2).margin(1e-3));
  CHECK_THROWS_WITH(environment->set_task(walls_task({0.3, 0})), contains("gap") && contains("0.7"));
  CHECK_THROWS_WITH(environment->set_task(walls_task({0.7, 0.5})), contains("within +-0.2"));
}

TEST_CASE("a scene shows the task set last", "[envs][planar]") {
  const auto environment = make_environment({.name = "navigation_2d_walls", .observe_task = true});
  const auto* drawn = planar(*environment);
  REQUIRE(drawn != nullptr);
  CHECK_THROWS_WITH(drawn->scene(), contains("set_task"));
  environment->set_task(walls_task());
  const auto scene = drawn->scene();
  CHECK(scene.goal->points == std::vector<Eigen::Vector2d>{{2, 2}});
  CHECK(scene.goal->radius == 0.2);
  CHECK(scene.other_goals.size() == 3);
  CHECK(scene.solid.size() == 10);
  const auto solid = [&](double x, double y) {
    return std::any_of(scene.solid.begin(), scene.solid.end(),
                       [&](const auto& wall) { return bounds(wall).contains(Eigen::Vector2d(x, y)); });
  };
  CHECK_FALSE(solid(0.7, 0));     // the inner gap
  CHECK_FALSE(solid(0.7, 0.34));  // up to its ends
  CHECK(solid(0.7, 0.36));
  CHECK(solid(-0.7, 0));
  CHECK(solid(0, 0.7));
  CHECK(solid(0, -0.7));
  CHECK(solid(0.74, 0.74));
  CHECK_FALSE(solid(0, 1.4));  // the outer gap
  CHECK(solid(1.4, 0));
  for (const auto& wall : scene.solid) CHECK(scene.arena.contains(bounds(wall)));
  CHECK(scene.arena.contains(bounds(*scene.goal)));

  const auto open = make_environment({.name = "navigation_2d"});
  open->set_task(Eigen::Vector2d(0.1, -0.2));
  const auto region = bounds(*planar(*open)->scene().goal);  // success is in a box of half-width 0.01
  CHECK(region.min().isApprox(Eigen::Vector2d(0.09, -0.21)));
  CHECK(region.max().isApprox(Eigen::Vector2d(0.11, -0.19)));
  CHECK(planar(*open)->scene().solid.empty());
  CHECK(open->task_text(Eigen::Vector2d(0.1, -0.2)) == "goal (0.10, -0.20)");
}
