#include "runners/experiment/chosen_task.h"

#include "base/error.h"
#include "envs/registry.h"
#include "tests/torch_catch.h"

using namespace innerloop;

TEST_CASE("a task is named by the parameters of its environment", "[act]") {
  const EnvironmentConfig config{.name = "navigation_2d"};
  const auto task = chosen_task(config, "goal_y=-0.2,goal_x=0.3", 1);
  CHECK(task == Eigen::Vector2d(0.3, -0.2));
  const auto spec = make_environment(config)->spec();
  CHECK(task_setting(spec, task) == "goal_x=0.3,goal_y=-0.2");
  const auto drawn = chosen_task(config, "random", 7);
  CHECK(drawn == chosen_task(config, "random", 7));
  CHECK(drawn != chosen_task(config, "random", 8));
  CHECK(chosen_task(config, task_setting(spec, drawn), 1) == drawn);
}

TEST_CASE("a task that is none is refused with what it should be", "[act]") {
  const EnvironmentConfig config{.name = "navigation_2d"};
  const auto refused = [&](const std::string& text, const EnvironmentConfig& environment) {
    try {
      chosen_task(environment, text, 1);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  CHECK_THAT(refused("goal_z=1,goal_y=0", config),
             contains("unknown task parameter of navigation_2d 'goal_z'") && contains("goal_x, goal_y"));
  CHECK_THAT(refused("goal_x=1", config), contains("goal_y is missing"));
  CHECK_THAT(refused("goal_x=1,goal_x=2,goal_y=0", config), contains("goal_x is given twice"));
  CHECK_THAT(refused("goal_x=far,goal_y=0", config), contains("goal_x is 'far', expected a number"));
  CHECK_THAT(refused("0.3,0.2", config), contains("expected NAME=NUMBER"));
  CHECK_THAT(refused("", config), contains("expected NAME=NUMBER"));
  CHECK_THAT(refused("direction=0.5", {.name = "half_cheetah_direction_gym"}), contains("direction"));
  CHECK(refused("direction=-1", {.name = "half_cheetah_direction_gym"}) == "taken");
}

TEST_CASE("a task beyond those of the training is told, one of them is not", "[act]") {
  const EnvironmentConfig open{.name = "navigation_2d"}, corners{.name = "navigation_2d_corners"};
  CHECK(unusual_about(open, Eigen::Vector2d(0.3, -0.499)).empty());
  CHECK_THAT(unusual_about(open, Eigen::Vector2d(0.3, 3)), contains("goal_y = 3 (tasks: -0.50 to 0.50)"));
  CHECK(unusual_about(corners, Eigen::Vector2d(-2, 2)).empty());
  CHECK_THAT(unusual_about(corners, Eigen::Vector2d(-1, 2)),
             contains("goal (-1.00, 2.00)") && contains("tasks:"));
}
