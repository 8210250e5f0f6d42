#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

#include "base/error.h"
#include "envs/registry.h"
#include "meta/algorithms/registry.h"
#include "meta/executor.h"
#include "meta/policy/policy_learner.h"
#include "runners/drawing/films.h"
#include "runners/drawing/replay.h"
#include "runners/experiment/evaluation_json.h"
#include "runners/experiment/random_policy.h"
#include "runners/experiment/statistics.h"
#include "tests/runners/scratch_folder.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using nlohmann::json;

namespace {

PolicyTaskEvaluation task(double goal, std::vector<double> returns, std::vector<double> successes) {
  return {Eigen::Vector2d(goal, -goal), std::move(returns), std::move(successes)};
}

EnvironmentSpec plane() { return make_environment({})->spec(); }

// A small policy evaluated on 2D navigation, as `record` does it.
struct Recorded {
  ThreadPool pool{1, &Executor::prepare_thread};
  FilmConfig config{.environment = {.name = "navigation_2d", .horizon = 6}, .steps = {0, 1}, .seed = 7};
  PolicyEvaluation evaluation;

  explicit Recorded(const std::string& environment = "navigation_2d") {
    config.environment.name = environment;
    PolicyMetaConfig learner;
    learner.environment = config.environment;
    learner.policy.hidden = {8};
    evaluation = make_policy_learner(learner, find_algorithm("maml"), pool)
                     ->evaluate({.tasks = 2, .steps = 1, .trajectories = 4, .seed = config.seed}, true);
  }
};

}  // namespace

TEST_CASE("mean, deviation and confidence interval over tasks are those worked out by hand", "[evaluation]") {
  PolicyEvaluation evaluation;
  evaluation.tasks = {task(0.1, {-10, -1}, {0, 0.5}), task(0.2, {-20, -3}, {0, 1}),
                      task(0.3, {-60, -2}, {0.3, 1})};
  const auto steps = statistics(evaluation, plane());
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].return_mean == Approx(-30));
  // Squared deviations 400, 100, 900: variance 1400 / 2 = 700.
  CHECK(*steps[0].return_std == Approx(26.457513110645906));
  CHECK(*steps[0].return_ci95 == Approx(4.3026527 * 26.457513110645906 / 1.7320508075688772));
  CHECK(*steps[0].success_rate == Approx(0.1));
  CHECK(steps[1].step == 1);
  CHECK(*steps[1].return_std == Approx(1));
}

TEST_CASE("one task has no deviation, and a task without success no success rate", "[evaluation]") {
  PolicyEvaluation evaluation;
  evaluation.tasks = {task(0.1, {-10}, {0})};
  const auto environment = make_environment({.name = "ant_goal_gym"});
  const EnvironmentSpec& spec = environment->spec();
  const auto steps = statistics(evaluation, spec);
  CHECK_FALSE(steps[0].return_std);
  CHECK_FALSE(steps[0].return_ci95);
  CHECK_FALSE(steps[0].success_rate);
  const auto out = json::parse(evaluation_json({}, *environment, 0.1, 5, evaluation));
  CHECK(out["steps"][0]["return_ci95"].is_null());
  CHECK_FALSE(out["steps"][0].contains("success_rate"));
  CHECK_FALSE(out["per_task"][0].contains("success_rates"));
  evaluation.tasks[0].returns[0] = std::nan("");
  CHECK_THROWS_WITH(statistics(evaluation, spec), contains("after 0 gradient steps is nan"));
}

TEST_CASE("adapt.json reads back to the same numbers", "[evaluation]") {
  PolicyEvaluation evaluation;
  evaluation.tasks = {task(0.1, {-10.0 / 3, -1}, {0, 0.5}), task(-0.2, {-20, -3}, {0, 1})};
  ExperimentConfig config;
  config.learner.inner.step_size = 0.5;
  config.evaluation = {.tasks = 2, .steps = 2, .trajectories = 40, .seed = 18446744073709551615ull};
  const auto out = json::parse(
      evaluation_json(config, *make_environment({}), config.learner.inner.step_size, 100, evaluation));
  CHECK(out["environment"].get<std::string>() == "navigation_2d");
  CHECK(out["tasks"].get<int64_t>() == 2);
  CHECK(out["seed"].get<uint64_t>() == 18446744073709551615ull);
  CHECK(out["trajectories"].get<int64_t>() == 40);
  CHECK(out["meta_iterations"].get<int64_t>() == 100);
  CHECK_FALSE(out["first_order"].get<bool>());
  CHECK(out["step_sizes"].get<std::vector<double>>() == std::vector<double>{0.5, 0.25});
  const auto steps = statistics(evaluation, plane());
  for (const size_t k : {0, 1}) {
    CHECK(out["steps"][k]["step"].get<size_t>() == k);
    CHECK(out["steps"][k]["return_mean"].get<double>() == steps[k].return_mean);
    CHECK(out["steps"][k]["return_std"].get<double>() == *steps[k].return_std);
    CHECK(out["steps"][k]["return_ci95"].get<double>() == *steps[k].return_ci95);
    CHECK(out["steps"][k]["success_rate"].get<double>() == *steps[k].success_rate);
  }
  CHECK(out["per_task"][1]["task"]["goal_x"].get<double>() == -0.2);
  CHECK(out["per_task"][0]["returns"].get<std::vector<double>>() == evaluation.tasks[0].returns);
  CHECK(json::parse(evaluation_json(config, *make_environment({}), std::nan(""), 0, evaluation))["step_sizes"]
            .is_null());
}

TEST_CASE("where tasks are finitely many, each has statistics of its own under its name", "[evaluation]") {
  const auto environment = make_environment({.name = "half_cheetah_direction_gym"});
  PolicyEvaluation evaluation;
  for (const double direction : {-1, 1, 1, 1}) {
    evaluation.tasks.push_back({Eigen::VectorXd::Constant(1, direction),
                                {100 * direction + static_cast<double>(evaluation.tasks.size())},
                                {0}});
  }
  const auto groups = by_task(evaluation, *environment);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].name == "forward");
  CHECK(groups[0].tasks == 3);
  CHECK(groups[0].steps[0].return_mean == Approx(102));
  CHECK(*groups[0].steps[0].return_ci95 == Approx(4.3026527 / std::sqrt(3.0)));
  CHECK(groups[1].name == "backward");
  CHECK(groups[1].steps[0].return_mean == -100);
  CHECK_FALSE(groups[1].steps[0].return_ci95);
  const auto out = json::parse(evaluation_json({}, *environment, 0.1, 5, evaluation, -3.5));
  CHECK(out["by_task"][0]["name"].get<std::string>() == "forward");
  CHECK(out["by_task"][0]["task"]["direction"].get<double>() == 1);
  CHECK(out["by_task"][0]["steps"][0]["return_mean"].get<double>() == Approx(102));
  CHECK(out["random_return"].get<double>() == -3.5);
  CHECK(by_task(evaluation, *make_environment({})).empty());
}

TEST_CASE("Student's t is that of the tables", "[evaluation]") {
  CHECK(student_t95(1) == Approx(12.7062).margin(1e-4));
  CHECK(student_t95(4) == Approx(2.7764).margin(1e-4));
  CHECK(student_t95(10) == Approx(2.2281).margin(1e-4));
  CHECK(student_t95(11) == Approx(2.2010).margin(2e-4));
  CHECK(student_t95(39) == Approx(2.0227).margin(1e-4));
  CHECK(student_t95(120) == Approx(1.9799).margin(1e-4));
  CHECK(student_t95(1000000) == Approx(1.9600).margin(1e-4));
  for (int64_t n = 1; n < 200; ++n) CHECK(student_t95(n) > student_t95(n + 1));
  CHECK_THROWS_WITH(student_t95(0), contains("0 degrees"));
}

TEST_CASE("random actions return what they do on paper, the same for the same seed", "[evaluation]") {
  PolicyEvaluation evaluation;
  evaluation.tasks = {task(0.3, {0}, {0}), task(-0.2, {0}, {0})};
  const EnvironmentConfig far{.name = "navigation_2d"};
  const double found = random_return(far, evaluation, 3);
  CHECK(found == random_return(far, evaluation, 3));
  CHECK(found != random_return(far, evaluation, 4));
  CHECK(found < -20);  // 100 steps of a random walk that starts 0.35 m from the goal
  CHECK(found > -200);
  CHECK(random_return({.name = "navigation_2d_discrete"}, evaluation, 3) < -10);
}

TEST_CASE("a trajectory is replayed to the bit, with the state after its last action", "[films]") {
  const Recorded recorded(GENERATE(values<std::string>({"navigation_2d", "navigation_2d_walls"})));
  const auto environment = make_environment(recorded.config.environment);
  const auto& trajectories = recorded.evaluation.trajectories[1];
  const auto& goal = recorded.evaluation.tasks[1].task;
  const auto path = replay(*environment, goal, trajectories, 1, 2, evaluation_key(7, 1, 2, 1));
  REQUIRE(static_cast<int64_t>(path.size()) == trajectories.length(1, 2) + 1);
  // The last reward is minus the distance of the state that was not recorded.
  const double distance = (path.back().cast<double>() - goal.head<2>()).norm();
  CHECK(trajectories.rewards(1, 2).tail<1>()[0] == Approx(-distance).epsilon(1e-5));
  if (recorded.config.environment.name == "navigation_2d_walls") {  // starts are random there
    CHECK_THROWS_WITH(replay(*environment, goal, trajectories, 1, 2, evaluation_key(8, 1, 2, 1)),
                      contains("another seed"));
  }
}

TEST_CASE("recording films every task and step, all steps side by side, and a figure", "[films]") {
  const ScratchFolder folder;
  const Recorded recorded;
  std::vector<std::string> wrote;
  const Films recording(recorded.config);
  recording.write_each(recorded.evaluation, folder.path(),
                       [&](const std::filesystem::path& file) { wrote.push_back(file.filename()); });
  const std::vector<std::string> films{"task_1_step_0.mp4", "task_1_step_1.mp4", "task_2_step_0.mp4",
                                       "task_2_step_1.mp4"};
  CHECK(wrote == films);
  CHECK(folder.files() == films);
  const auto count = [&](const std::string& name) {
    cv::VideoCapture film((folder / name).string(), cv::CAP_FFMPEG);
    CHECK(film.get(cv::CAP_PROP_FPS) == Approx(8));  // a step lasts 1/8 s
    int64_t frames = 0;
    while (film.grab()) ++frames;
    return frames;
  };
  // The start, every step, and one second of the last picture.
  const auto length = [&](int64_t t, size_t k) {
    return recorded.evaluation.trajectories[k].length(t, kFilmed);
  };
  CHECK(count("task_2_step_1.mp4") == 1 + length(1, 1) + 8);

  recording.write_adaptation(recorded.evaluation, 0, folder / "adaptation.mp4");
  CHECK(count("adaptation.mp4") == 1 + std::max(length(0, 0), length(0, 1)) + 8);
  cv::VideoCapture one((folder / "task_1_step_0.mp4").string()), both((folder / "adaptation.mp4").string());
  CHECK(both.get(cv::CAP_PROP_FRAME_WIDTH) == 2 * one.get(cv::CAP_PROP_FRAME_WIDTH));
  recording.write_figure(recorded.evaluation, folder / "trajectories.png");
  CHECK_FALSE(cv::imread((folder / "trajectories.png").string()).empty());
}

TEST_CASE("what cannot be filmed is refused by name", "[films]") {
  const ScratchFolder folder;
  Recorded recorded;
  recorded.config.steps = {0, 2};
  CHECK_THROWS_WITH(Films(recorded.config).write_adaptation(recorded.evaluation, 0, folder / "a.mp4"),
                    contains("gradient step 2") && contains("0 to 1"));
  EnvironmentSpec timeless = plane();
  timeless.step_seconds = 0;
  CHECK(frames_per_second(recorded.config, plane(), 0.5) == 4);  // a step lasts 1/8 s
  recorded.config.speed = 2;
  CHECK(frames_per_second(recorded.config, plane(), 0.5) == 16);
  CHECK_THROWS_WITH(frames_per_second(recorded.config, timeless, 1), contains("--fps"));
  recorded.config.fps = 12;
  CHECK(frames_per_second(recorded.config, timeless, 1) == 12);
  CHECK(folder.files().empty());
}
