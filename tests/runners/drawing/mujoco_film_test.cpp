// Claims about pictures and films of MuJoCo environments. Those that draw are skipped, with a message, where
// neither EGL nor OSMesa is installed.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <optional>

#include "base/error.h"
#include "envs/registry.h"
#include "runners/drawing/gl_context.h"
#include "runners/drawing/mujoco_renderer.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/run_directory.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;
namespace fs = std::filesystem;

namespace {

// An environment variable while it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~Variable() {
    if (before_) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// Whether this machine lacks the libraries; any other failure is one of the program.
bool no_gl_installed() {
  try {
    make_gl_context();
    return false;
  } catch (const Error& error) {
    const std::string text = error.what();
    if (text.find("libEGL.so.1: cannot open") == std::string::npos ||
        text.find("libOSMesa") == std::string::npos)
      throw;
    WARN("skipped: " << text);
    return true;
  }
}

constexpr double kStepSeconds = 0.01;

std::shared_ptr<MujocoStage> stage() {
  return std::make_shared<MujocoStage>(*mujoco_model("half_cheetah"), cv::Size(320, 240));
}

// The animal at x metres, standing.
Eigen::VectorXd standing_at(double x) {
  Eigen::VectorXd qpos = Eigen::VectorXd::Zero(9);
  qpos[0] = x;
  return qpos;
}

MujocoRenderer standing(std::shared_ptr<MujocoStage> stage, const TaskMark& mark) {
  return {std::move(stage), std::vector<Eigen::VectorXd>(51, standing_at(0)), mark, kStepSeconds};
}

// Where the green of a mark is, in pixels; x < 0 if there is none.
cv::Point2d mark_centre(const cv::Mat& picture) {
  cv::Mat green;
  cv::inRange(picture, cv::Scalar(0, 90, 0), cv::Scalar(90, 255, 90), green);
  const cv::Moments moments = cv::moments(green, true);
  return moments.m00 < 20 ? cv::Point2d(-1, -1)
                          : cv::Point2d(moments.m10 / moments.m00, moments.m01 / moments.m00);
}

double difference(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF); }

std::vector<std::string> cheetah_training(const fs::path& run, const std::string& environment,
                                          const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"--environment.name", environment, "--evaluation.trajectories", "3",
                                     "--evaluation.steps", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return tiny_training(run, arguments);
}

}  // namespace

TEST_CASE("a MuJoCo model is drawn without a display, upright, and as its state is", "[films]") {
  if (no_gl_installed()) return;
  const auto cheetah = stage();
  CHECK_FALSE(cheetah->renderer().empty());
  const auto draw = [&](const Eigen::VectorXd& qpos) {
    return cheetah->draw({{qpos}, {}, cheetah->tracking_camera()});
  };
  const cv::Mat picture = draw(standing_at(0));
  REQUIRE(picture.size() == cv::Size(320, 240));
  cv::Scalar mean, deviation;
  cv::meanStdDev(picture, mean, deviation);
  CHECK(deviation[1] > 10);
  const cv::Vec3b sky = picture.at<cv::Vec3b>(5, 160), floor = picture.at<cv::Vec3b>(235, 160);
  CHECK(sky[0] - sky[2] > 40);  // blue above
  CHECK(std::abs(floor[0] - floor[2]) < 30);
  CHECK(difference(draw(standing_at(0)), picture) == 0);
  Eigen::VectorXd kick = standing_at(0);
  kick[3] = 0.8;  // the hind thigh
  CHECK(difference(draw(kick), picture) > 50);
  // The second stage of a process, of another size, draws too, and the first one still does.
  MujocoStage large(*mujoco_model("half_cheetah"), {640, 480});
  const cv::Mat other = large.draw({{standing_at(0)}, {}, large.tracking_camera()});
  cv::Mat half;
  cv::resize(other, half, picture.size(), 0, 0, cv::INTER_AREA);
  CHECK(cv::norm(half, picture, cv::NORM_L1) / (3.0 * 320 * 240) < 4);
  CHECK(difference(draw(standing_at(0)), picture) == 0);
  CHECK_THROWS_WITH(draw(Eigen::VectorXd::Zero(3)), contains("3 positions") && contains("9"));
}

TEST_CASE("where nothing can draw, the error lists what was tried and why it failed", "[films]") {
  {
    const Variable gl("INNERLOOP_GL", "none");
    CHECK_THROWS_WITH(make_gl_context(), contains("INNERLOOP_GL is 'none'"));
  }
  {
    const Variable gl("INNERLOOP_GL", "glx");
    CHECK_THROWS_AS(make_gl_context(), UsageError);
    CHECK_THROWS_WITH(make_gl_context(), contains("egl, surfaceless, osmesa"));
  }
  {
    const Variable gl("INNERLOOP_GL", "egl"), device("MUJOCO_EGL_DEVICE_ID", "99");
    CHECK_THROWS_WITH(make_gl_context(),
                      contains("tried:\n  egl: ") &&
                          (contains("MUJOCO_EGL_DEVICE_ID is 99") || contains("libEGL.so.1: cannot open")));
  }
  const Variable device("MUJOCO_EGL_DEVICE_ID", "first");
  CHECK_THROWS_WITH(make_gl_context(), contains("MUJOCO_EGL_DEVICE_ID is 'first'"));
}

TEST_CASE("the mark of a task moves as the task says, and the figures tell the animal's own speed",
          "[films]") {
  if (no_gl_installed()) return;
  using Kind = TaskMark::Kind;
  const auto cheetah = stage();
  const auto none = standing(cheetah, {});
  CHECK(mark_centre(none.frame(0)).x < 0);
  const auto fast = standing(cheetah, {Kind::kVelocity, {2, 0}}),
             slow = standing(cheetah, {Kind::kVelocity, {1, 0}});
  const double start = mark_centre(fast.frame(0)).x;
  REQUIRE(start > 0);
  const double moved_fast = mark_centre(fast.frame(25)).x - start;
  CHECK(moved_fast > 20);
  CHECK(mark_centre(slow.frame(25)).x - start == Approx(moved_fast / 2).margin(2));
  CHECK(mark_centre(slow.frame(50)).x - start == Approx(moved_fast).margin(2));

  const auto goal = standing(cheetah, {Kind::kGoal, {0.3, 1}});
  CHECK(mark_centre(goal.frame(0)).x > 160);
  CHECK(difference(goal.frame(0), goal.frame(50)) == 0);
  CHECK_THAT(goal.figures(7), contains(" m from the goal"));
  const auto right = standing(cheetah, {Kind::kDirection, {1, 0}}),
             left = standing(cheetah, {Kind::kDirection, {-1, 0}});
  CHECK(difference(right.frame(0), left.frame(0)) > 50);

  std::vector<Eigen::VectorXd> run;
  for (int t = 0; t <= 50; ++t) run.push_back(standing_at(0.015 * t));
  const MujocoRenderer runner(cheetah, run, {Kind::kDirection, {-1, 0}}, kStepSeconds);
  CHECK(runner.figures(30) == "1.50 m/s forward");  // against the direction
  CHECK(runner.figures(0) == "0.00 m/s forward");
  std::reverse(run.begin(), run.end());
  CHECK(MujocoRenderer(cheetah, run, {Kind::kVelocity, {0.5, 0}}, kStepSeconds).figures(30) ==
        "1.50 m/s backward of 0.50 asked");
  CHECK(runner.frames() == 51);
  // The arrow goes with the animal, which the camera follows.
  CHECK(std::abs(mark_centre(runner.frame(0)).x - mark_centre(runner.frame(50)).x) < 2);
  CHECK(difference(runner.whole(), runner.frame(50)) > 50);
  CHECK_THROWS_WITH(runner.frame(51), contains("frame 51 of a film of 51"));
}

TEST_CASE("a half-cheetah's run is recorded at half speed, and EGL and OSMesa draw the same",
          "[films][program]") {
  if (no_gl_installed()) return;
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const std::string path = run.string();
  REQUIRE(run_program(cheetah_training(run, "half_cheetah_velocity_gym", {"--meta.iterations", "0"})).code ==
          0);
  const auto record = [&](const char* back_end) {
    return run_program(
        {"record", "--run", path, "--tasks", "1", "--steps", "0,1", "--width", "320", "--height", "200"},
        [&] { setenv("INNERLOOP_GL", back_end, 1); });
  };
  std::vector<cv::Mat> pictures;
  for (const char* back_end : {"egl", "surfaceless", "osmesa"}) {
    const auto outcome = record(back_end);
    if (outcome.output.find("cannot open shared object file") != std::string::npos) continue;
    INFO(outcome.output);
    REQUIRE(outcome.code == 0);
    CHECK_THAT(outcome.output, contains(std::string("drawn by ") + back_end));
    pictures.push_back(cv::imread((run / "videos" / "trajectories.png").string()));
    REQUIRE(pictures.back().size() == pictures[0].size());
    CHECK(cv::norm(pictures.back(), pictures[0], cv::NORM_L1) / static_cast<double>(pictures[0].total() * 3) <
          1);
  }
  const auto measure = [&](const char* name, int width) {
    cv::VideoCapture film((run / "videos" / name).string(), cv::CAP_FFMPEG);
    REQUIRE(film.isOpened());
    CHECK(film.get(cv::CAP_PROP_FPS) == Approx(10));  // a step lasts 0.05 s
    CHECK(film.get(cv::CAP_PROP_FRAME_WIDTH) == width);
    int64_t frames = 0;
    while (film.grab()) ++frames;
    CHECK(frames == 1 + 12 + 10);  // the start, every step, one second of the last
  };
  const int panel = pictures[0].cols / 2;
  CHECK(panel > 320);
  measure("task_1_step_0.mp4", panel);
  measure("task_1_step_1.mp4", panel);
  measure("adaptation.mp4", 2 * panel);

  const auto adaptation = run / "videos" / "adaptation.mp4";
  const auto size = std::filesystem::file_size(adaptation);
  REQUIRE(run_program({"record", "--run", path, "--tasks", "1", "--steps", "0,1", "--width", "320",
                       "--height", "200", "--quality", "10"})
              .code == 0);
  CHECK(2 * std::filesystem::file_size(adaptation) < size);
  CHECK(run_program({"record", "--run", path, "--quality", "101"}).code == 2);
  CHECK(run_program({"record", "--run", path, "--speed", "0"}).code == 2);
  CHECK(run_program({"record", "--run", path, "--speed", "1", "--fps", "20"}).code == 2);

  const auto refused = record("none");
  CHECK(refused.code == 1);
  CHECK_THAT(refused.output, contains("no OpenGL context"));
  CHECK(run_program({"record", "--run", path, "--width", "321"}).code == 2);
}

TEST_CASE("filming while training changes no bit of it, and a film that fails does not stop it",
          "[films][program]") {
  const TemporaryFolder folder;
  const std::string environment =
      GENERATE(values<std::string>({"navigation_2d", "half_cheetah_direction_gym"}));
  const auto train = [&](const char* name, const char* every, const char* back_end) {
    const RunDirectory run(folder / name);
    const auto outcome = run_program(
        cheetah_training(run.root(), environment,
                         {"--meta.iterations", "3", "--video-every", every, "--checkpoint.keep", "all"}),
        [&] {
          if (back_end != nullptr) setenv("INNERLOOP_GL", back_end, 1);
        });
    INFO(outcome.output);
    REQUIRE(outcome.code == 0);
    return run;
  };
  const RunDirectory plain = train("plain", "0", nullptr), filmed = train("filmed", "1", nullptr),
                     blind = train("blind", "2", "none");
  for (const RunDirectory& run : {filmed, blind}) {
    CHECK(read_file(run.last_checkpoint()) == read_file(plain.last_checkpoint()));
    CHECK(read_file(run.checkpoint(3)) == read_file(plain.checkpoint(3)));
  }
  CHECK_FALSE(fs::exists(plain.root() / "videos"));
  if (environment == "navigation_2d") {
    CHECK(fs::exists(blind.root() / "videos" / "iteration_000002.mp4"));
    CHECK_FALSE(fs::exists(blind.root() / "videos" / "iteration_000001.mp4"));
  } else {
    CHECK_THAT(read_file(blind.log()), contains("no film after meta-iteration 2: no OpenGL context"));
    if (no_gl_installed()) return;
  }
  for (const char* name : {"iteration_000001.mp4", "iteration_000002.mp4", "iteration_000003.mp4"})
    CHECK(fs::exists(filmed.root() / "videos" / name));
}
