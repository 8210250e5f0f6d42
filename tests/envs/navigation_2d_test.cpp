#include "envs/navigation_2d.h"

#include <box2d/box2d.h>

#include <cmath>

#include "envs/registry.h"
#include "tests/catch.h"
#include "tests/envs/play.h"

using namespace innerloop;

namespace {

constexpr float kNoStart = 1e6f;

// One step of `name` with the goal given, after the moves given.
struct Stepped {
  Eigen::VectorXf observation;
  StepResult result;
};

Stepped step_from_reset(const std::string& name, const Eigen::VectorXd& task,
                        const std::vector<Eigen::VectorXf>& actions) {
  const auto environment = make_environment({.name = name});
  environment->set_task(task);
  Stream stream = test_stream(1);
  Stepped out{Eigen::VectorXf::Constant(2, kNoStart), {}};
  environment->reset(stream, out.observation);
  for (const auto& action : actions) out.result = environment->step(action, stream, out.observation);
  return out;
}

Eigen::VectorXf action(float x, float y) { return Eigen::Vector2f(x, y); }
Eigen::VectorXf choice(int index) { return Eigen::VectorXf::Constant(1, static_cast<float>(index)); }
Eigen::VectorXd goal(double x, double y) { return Eigen::Vector2d(x, y); }

void check_position(const Stepped& stepped, double x, double y) {
  CHECK(stepped.observation[0] == Approx(x).margin(1e-6));
  CHECK(stepped.observation[1] == Approx(y).margin(1e-6));
}

// Mean return and length over `episodes` tasks of one episode each.
struct Mean {
  double total = 0, length = 0;
};
Mean mean_return(const std::string& name, int episodes,
                 const std::function<Actor(const Eigen::VectorXd&)>& make_actor) {
  const auto environment = make_environment({.name = name});
  Mean mean;
  for (int k = 0; k < episodes; ++k) {
    const auto id = static_cast<uint64_t>(k);
    Stream tasks = test_stream(5, id, Purpose::kTask);
    const Eigen::VectorXd task = environment->sample_task(tasks);
    environment->set_task(task);
    const auto episode = play(*environment, make_actor(task), test_stream(5, id, Purpose::kEnvironment),
                              test_stream(5, id, Purpose::kAction));
    mean.total += episode.total() / episodes;
    mean.length += static_cast<double>(episode.rewards.size()) / episodes;
  }
  return mean;
}

// Straight to the goal, with N(0, sigma^2) on top, in normalised units.
std::function<Actor(const Eigen::VectorXd&)> to_goal(double sigma) {
  return [sigma](const Eigen::VectorXd& task) -> Actor {
    const Eigen::Vector2f target = task.head<2>().cast<float>();
    return [target, sigma](const Eigen::VectorXf& position, Stream& stream) {
      Eigen::VectorXf move = ((target - position) / 0.1f).cwiseMax(-1.0f).cwiseMin(1.0f);
      for (float& x : move) x += static_cast<float>(sigma * stream.normal());
      return move;
    };
  };
}

}  // namespace

TEST_CASE("navigation_2d starts at the origin and draws goals from the square", "[envs][navigation_2d]") {
  const auto environment = make_environment({.name = "navigation_2d"});
  check_position(step_from_reset("navigation_2d", goal(0.3, 0.3), {}), 0, 0);
  Eigen::Array2d low(1, 1), high(-1, -1), sum(0, 0);
  constexpr int kTasks = 10000;
  Stream stream = test_stream(2);
  for (int k = 0; k < kTasks; ++k) {
    const Eigen::Array2d task = environment->sample_task(stream).array();
    low = low.min(task);
    high = high.max(task);
    sum += task;
  }
  CHECK(low.minCoeff() >= -0.5);
  CHECK(high.maxCoeff() < 0.5);
  CHECK(low.maxCoeff() < -0.49);
  CHECK(high.minCoeff() > 0.49);
  CHECK((sum / kTasks).abs().maxCoeff() < 0.0116);  // 4 standard errors
}

TEST_CASE("navigation_2d normalises and clips as rllab does", "[envs][navigation_2d]") {
  check_position(step_from_reset("navigation_2d", goal(0.5, 0.5), {action(1, -1)}), 0.1, -0.1);
  check_position(step_from_reset("navigation_2d", goal(0.5, 0.5), {action(0.5f, -0.25f)}), 0.05, -0.025);
  check_position(step_from_reset("navigation_2d", goal(0.5, 0.5), {action(7, -1.5f)}), 0.1, -0.1);
  check_position(step_from_reset("navigation_2d", goal(0.5, 0.5), {action(1, 0), action(1, 0.3f)}), 0.2,
                 0.03);
}

TEST_CASE("navigation_2d_raw takes metres and clips them", "[envs][navigation_2d]") {
  check_position(step_from_reset("navigation_2d_raw", goal(0.5, 0.5), {action(0.05f, -0.025f)}), 0.05,
                 -0.025);
  check_position(step_from_reset("navigation_2d_raw", goal(0.5, 0.5), {action(1, -0.2f)}), 0.1, -0.1);
}

TEST_CASE("navigation_2d pays minus the distance, not its square", "[envs][navigation_2d]") {
  const auto stepped = step_from_reset("navigation_2d", goal(0.4, 0.4), {action(1, 0)});  // (.3, .4) to go
  CHECK(stepped.result.reward == Approx(-0.5).margin(1e-6));
  CHECK_FALSE(stepped.result.terminated);
  CHECK_FALSE(stepped.result.success);
}

TEST_CASE("navigation_2d ends inside the box of half-width 0.01, in both axes", "[envs][navigation_2d]") {
  const auto ends = [](double x, double y) {
    const auto result = step_from_reset("navigation_2d", goal(x, y), {action(1, 0)}).result;
    CHECK(result.success == result.terminated);
    return result.terminated;
  };
  CHECK(ends(0.1, 0));
  CHECK(ends(0.1099, 0.0099));  // 0.014 away: a box, not a disc
  CHECK(ends(0.0901, -0.0099));
  CHECK_FALSE(ends(0.1101, 0));
  CHECK_FALSE(ends(0.1, 0.0101));
  CHECK_FALSE(ends(0.0899, 0));
}

TEST_CASE("navigation_2d_discrete moves to the nine points around it", "[envs][navigation_2d]") {
  const std::vector<Eigen::Vector2d> moves{{0, 0},   {.1, 0},    {.1, .1}, {0, .1},  {-.1, .1},
                                           {-.1, 0}, {-.1, -.1}, {0, -.1}, {.1, -.1}};
  for (int index = 0; index < 9; ++index) {
    const auto& move = moves[static_cast<size_t>(index)];
    check_position(step_from_reset("navigation_2d_discrete", goal(0.5, 0.5), {choice(index)}), move.x(),
                   move.y());
  }
  const auto there = step_from_reset("navigation_2d_discrete", goal(0.14, 0.06), {choice(2)}).result;
  CHECK(there.terminated);
  CHECK(there.success);
  CHECK_FALSE(step_from_reset("navigation_2d_discrete", goal(0.16, 0.1), {choice(2)}).result.terminated);
}

TEST_CASE("navigation_2d_corners starts near the origin, clips at 0.2 and never ends",
          "[envs][navigation_2d]") {
  const auto environment = make_environment({.name = "navigation_2d_corners"});
  environment->set_task(goal(2, 2));
  float widest = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Stream stream = test_stream(seed);
    Eigen::VectorXf start(2), next(2);
    environment->reset(stream, start);
    widest = std::max(widest, start.cwiseAbs().maxCoeff());
    const auto result = environment->step(action(0.15f, -5), stream, next);
    REQUIRE((next - start - action(0.15f, -0.2f)).norm() < 1e-6f);
    REQUIRE(result.reward == Approx(-(next.cast<double>() - goal(2, 2)).norm()));
  }
  CHECK(widest < 0.2f);
  CHECK(widest > 0.19f);

  const Actor chase = [](const Eigen::VectorXf& position, Stream&) -> Eigen::VectorXf {
    return action(2, 2) - position;
  };
  const auto episode = play(*environment, chase, test_stream(1), test_stream(1));
  CHECK(episode.rewards.size() == 100);
  CHECK(episode.rewards.back() == Approx(0).margin(1e-6));
  CHECK_FALSE(episode.successes.front());
  CHECK(episode.successes.back());
}

TEST_CASE("corner tasks are the four corners, equally often", "[envs][navigation_2d]") {
  const auto name = GENERATE("navigation_2d_corners", "navigation_2d_corners_sparse", "navigation_2d_walls");
  const auto environment = make_environment({.name = name});
  Stream stream = test_stream(3);
  std::array<int, 4> count{};
  for (int k = 0; k < 4000; ++k) {
    const Eigen::VectorXd task = environment->sample_task(stream);
    REQUIRE(task.head<2>().cwiseAbs() == Eigen::Vector2d(2, 2));
    ++count[(task[0] > 0 ? 1u : 0u) + (task[1] > 0 ? 2u : 0u)];
  }
  for (const int n : count) CHECK(std::abs(n - 1000) < 4 * 28);  // 4 standard deviations
}

TEST_CASE("navigation_2d_corners_sparse pays progress in the goal's own quarter only",
          "[envs][navigation_2d]") {
  const auto environment = make_environment({.name = "navigation_2d_corners_sparse"});
  const double sign_x = GENERATE(-1, 1), sign_y = GENERATE(-1, 1);
  environment->set_task(goal(2 * sign_x, 2 * sign_y));
  Stream stream = test_stream(1);
  Eigen::VectorXf position(2);
  environment->reset(stream, position);
  // Moves to (x, y) as seen with the goal at (2, 2), in as many steps as it takes; the reward of the last
  // one.
  const auto go_to = [&](double x, double y) {
    const Eigen::Vector2f target = Eigen::Vector2d(sign_x * x, sign_y * y).cast<float>();
    double reward = 0;
    do {
      reward = environment->step(target - position, stream, position).reward;
    } while ((target - position).norm() > 1e-5f);
    return reward;
  };
  const auto to_goal = [](double x, double y) { return std::hypot(2 - x, 2 - y); };
  CHECK(go_to(0.1, 0.1) == 0);
  CHECK(go_to(0.24, 0.24) == 0);  // progress, but |s'|_1 < 0.5
  CHECK(go_to(0.3, 0.3) ==
        Approx(to_goal(0.24, 0.24) - to_goal(0.3, 0.3)));  // from inside to outside: all of it
  CHECK(go_to(0.5, 0.4) == Approx(to_goal(0.3, 0.3) - to_goal(0.5, 0.4)));
  CHECK(go_to(0.5, 0.3) == Approx(to_goal(0.5, 0.4) - to_goal(0.5, 0.3)));  // back: a cost
  CHECK(go_to(0.5, 0.3) == 0);
  go_to(0.5, -0.4);
  CHECK(go_to(0.6, -0.3) == 0);  // progress, but another corner is nearer
  go_to(-0.6, -0.6);
  CHECK(go_to(-0.5, -0.5) == 0);
  CHECK(go_to(0.1, 0.1) == 0);
}

TEST_CASE("without walls the robot moves as a free body in a Box2D world, bit for bit",
          "[envs][navigation_2d]") {
  b2World world(b2Vec2(0, 0));
  b2BodyDef def;
  def.type = b2_dynamicBody;
  def.bullet = true;
  b2Body* body = world.CreateBody(&def);
  const auto environment = make_environment({.name = "navigation_2d", .horizon = 1000});
  environment->set_task(goal(0.5, 0.5));
  Stream stream = test_stream(1);
  Eigen::VectorXf observation(2);
  environment->reset(stream, observation);
  const auto dt = static_cast<float>(environment->spec().step_seconds);
  for (int t = 0; t < 1000; ++t) {
    const Eigen::VectorXf a =
        action(static_cast<float>(stream.normal()), static_cast<float>(stream.normal()));
    const Eigen::Vector2f velocity = (a * 0.1f).cwiseMax(-0.1f).cwiseMin(0.1f) / dt;
    body->SetLinearVelocity(b2Vec2(velocity.x(), velocity.y()));
    world.Step(dt, 8, 3);
    environment->step(a, stream, observation);
    REQUIRE(observation[0] == body->GetPosition().x);
    REQUIRE(observation[1] == body->GetPosition().y);
  }
}

// The figures were measured over 40,000 episodes with another program; tolerances are 4 joint standard
// errors.
TEST_CASE("navigation_2d: standing still returns -38.31", "[envs][navigation_2d][golden]") {
  const Actor still = [](const Eigen::VectorXf&, Stream&) -> Eigen::VectorXf { return action(0, 0); };
  const auto mean = mean_return("navigation_2d", 20000, [&](const auto&) { return still; });
  CHECK(mean.total == Approx(-38.31).margin(0.5));
}

TEST_CASE("navigation_2d: random actions return -71.3", "[envs][navigation_2d][golden]") {
  const auto random = random_actor(make_environment({.name = "navigation_2d"})->spec());
  CHECK(mean_return("navigation_2d", 20000, [&](const auto&) { return random; }).total ==
        Approx(-71.3).margin(1));
}

TEST_CASE("navigation_2d_raw: random actions return -90.4", "[envs][navigation_2d][golden]") {
  const auto random = random_actor(make_environment({.name = "navigation_2d_raw"})->spec());
  CHECK(mean_return("navigation_2d_raw", 20000, [&](const auto&) { return random; }).total ==
        Approx(-90.4).margin(1.5));
}

TEST_CASE("navigation_2d: the straight way returns -0.50 in 3.7 steps", "[envs][navigation_2d][golden]") {
  const auto mean = mean_return("navigation_2d", 40000, to_goal(0));
  CHECK(mean.total == Approx(-0.50).margin(0.01));
  CHECK(mean.length == Approx(3.7).margin(0.05));
}

TEST_CASE("navigation_2d: the straight way with noise returns -6.72, -2.56, -0.73",
          "[envs][navigation_2d][golden]") {
  CHECK(mean_return("navigation_2d", 20000, to_goal(1)).total == Approx(-6.72).margin(0.2));
  CHECK(mean_return("navigation_2d", 20000, to_goal(0.5)).total == Approx(-2.56).margin(0.08));
  CHECK(mean_return("navigation_2d", 20000, to_goal(0.2)).total == Approx(-0.73).margin(0.02));
}
