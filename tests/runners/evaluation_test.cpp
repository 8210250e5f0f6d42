#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

#include "base/error.h"
#include "envs/registry.h"
#include "runners/evaluation_json.h"
#include "runners/films.h"
#include "runners/replay.h"
#include "tests/runners/scratch_folder.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using nlohmann::json;

namespace {

TaskEvaluation task(double goal, std::vector<double> returns, std::vector<double> successes) {
  return {Eigen::Vector2d(goal, -goal), std::move(returns), std::move(successes)};
}

EnvironmentSpec plane() { return make_environment({})->spec(); }

// An environment that nothing can draw.
class Blind : public Environment {
 public:
  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream&) const override { return Eigen::VectorXd::Zero(0); }
  void set_task(const Eigen::VectorXd&) override {}
  void reset(Stream&, ObservationRef) override {}
  StepResult step(const ActionRef&, Stream&, ObservationRef) override { return {}; }

 private:
  EnvironmentSpec spec_{.name = "blind"};
};

// A small policy evaluated on 2D navigation, as `record` does it.
struct Recorded {
  ThreadPool pool{1, &Executor::prepare_thread};
  FilmConfig config{.environment = {.name = "navigation_2d", .horizon = 6}, .steps = {0, 1}, .seed = 7};
  Evaluation evaluation;

  explicit Recorded(const std::string& environment = "navigation_2d") {
    config.environment.name = environment;
    PolicyMetaConfig learner;
    learner.environment = config.environment;
    learner.policy.hidden = {8};
    evaluation = PolicyMetaLearner(learner, pool)
                     .evaluate({.tasks = 2, .steps = 1, .trajectories = 4, .seed = config.seed}, true);
  }
};

}  // namespace

TEST_CASE("mean, deviation and confidence interval over tasks are those worked out by hand", "[evaluation]") {
  Evaluation evaluation;
  evaluation.tasks = {task(0.1, {-10, -1}, {0, 0.5}), task(0.2, {-20, -3}, {0, 1}),
                      task(0.3, {-60, -2}, {0.3, 1})};
  const auto steps = statistics(evaluation, plane());
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].return_mean == Approx(-30));
  // Squared deviations 400, 100, 900: variance 1400 / 2 = 700.
  CHECK(*steps[0].return_std == Approx(26.457513110645906));
  CHECK(*steps[0].return_ci95 == Approx(1.96 * 26.457513110645906 / 1.7320508075688772));
  CHECK(*steps[0].success_rate == Approx(0.1));
  CHECK(steps[1].step == 1);
  CHECK(*steps[1].return_std == Approx(1));
}

TEST_CASE("one task has no deviation, and a task without success no success rate", "[evaluation]") {
  Evaluation evaluation;
  evaluation.tasks = {task(0.1, {-10}, {0})};
  EnvironmentSpec spec = plane();
  spec.defines_success = false;
  const auto steps = statistics(evaluation, spec);
  CHECK_FALSE(steps[0].return_std);
  CHECK_FALSE(steps[0].return_ci95);
  CHECK_FALSE(steps[0].success_rate);
  const auto out = json::parse(evaluation_json({}, spec, 5, evaluation));
  CHECK(out["steps"][0]["return_ci95"].is_null());
  CHECK_FALSE(out["steps"][0].contains("success_rate"));
  CHECK_FALSE(out["per_task"][0].contains("success_rates"));
  evaluation.tasks[0].returns[0] = std::nan("");
  CHECK_THROWS_WITH(statistics(evaluation, spec), contains("after 0 gradient steps is nan"));
}

TEST_CASE("adapt.json reads back to the same numbers", "[evaluation]") {
  Evaluation evaluation;
  evaluation.tasks = {task(0.1, {-10.0 / 3, -1}, {0, 0.5}), task(-0.2, {-20, -3}, {0, 1})};
  ExperimentConfig config;
  config.learner.inner.step_size = 0.5;
  config.evaluation = {.tasks = 2, .steps = 2, .trajectories = 40, .seed = 18446744073709551615ull};
  const auto out = json::parse(evaluation_json(config, plane(), 100, evaluation));
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
  config.learner.inner.step_sizes = "per_parameter";
  CHECK(json::parse(evaluation_json(config, plane(), 0, evaluation))["step_sizes"].is_null());
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
  CHECK_THROWS_AS(require_drawable(Blind()), UsageError);
  CHECK_THROWS_WITH(require_drawable(Blind()),
                    contains("'blind' cannot be drawn") && contains("navigation_2d_walls"));
  CHECK_NOTHROW(require_drawable(*make_environment({.name = "navigation_2d_walls", .observe_task = true})));
  recorded.config.steps = {0, 2};
  CHECK_THROWS_WITH(Films(recorded.config).write_adaptation(recorded.evaluation, 0, folder / "a.mp4"),
                    contains("gradient step 2") && contains("0 to 1"));
  EnvironmentSpec timeless = plane();
  timeless.step_seconds = 0;
  CHECK_THROWS_WITH(frames_per_second(recorded.config, timeless), contains("--fps"));
  recorded.config.fps = 12;
  CHECK(frames_per_second(recorded.config, timeless) == 12);
  CHECK(folder.files().empty());
}
