#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "runners/drawing/draw_planar.h"
#include "runners/drawing/draw_series.h"
#include "runners/drawing/legend.h"
#include "runners/drawing/panel.h"
#include "runners/drawing/text.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

PlanarScene scene() {
  PlanarScene scene;
  scene.arena = Eigen::AlignedBox2d(Eigen::Vector2d(-1, -1), Eigen::Vector2d(1, 1));
  scene.goal = make_disc({0.5, 0.25}, 0.05);
  scene.solid = {make_box({Eigen::Vector2d(-0.9, -0.9), Eigen::Vector2d(-0.7, -0.5)})};
  return scene;
}

PlanarPose pose_at(double x, double y) { return {{x, y}, {make_disc({x, y}, 0.03)}}; }

// A straight way east along y = -0.3, and another trajectory that goes north.
PlanarRenderer renderer() {
  Poses east, north;
  for (int i = 0; i <= 20; ++i) {
    east.push_back(pose_at(0.02 * i, -0.3));
    north.push_back(pose_at(-0.3, 0.02 * i));
  }
  return PlanarRenderer(scene(), {north, east}, 1, 100, 400);
}

cv::Vec3b pixel_at(const cv::Mat& picture, const PlanarView& view, const Eigen::Vector2d& position) {
  const cv::Point2d point = view.at(position);
  return picture.at<cv::Vec3b>(static_cast<int>(point.y), static_cast<int>(point.x));
}

cv::Vec3b pixel_at(const cv::Mat& picture, const Eigen::Vector2d& position) {
  return pixel_at(picture, PlanarView(scene().arena, 400), position);
}

double distance(const cv::Vec3b& pixel, const cv::Scalar& colour) {
  return std::hypot(pixel[0] - colour[0], pixel[1] - colour[1], pixel[2] - colour[2]);
}

bool is_paper(const cv::Vec3b& pixel) { return distance(pixel, {255, 255, 255}) < 3; }

}  // namespace

TEST_CASE("the figures below a picture do not run into one another, however narrow it is", "[films]") {
  const PanelPainter painter;
  const int width = GENERATE(120, 300, 444, 900);
  const cv::Mat picture(60, width, CV_8UC3, cv::Scalar::all(255));
  const auto panel = [&](const std::string& left, const std::string& right) {
    return painter.panel(picture, {.left = left, .right = right});
  };
  // The columns where two panels differ.
  const auto columns = [](const cv::Mat& a, const cv::Mat& b) {
    cv::Mat difference, any;
    cv::absdiff(a, b, difference);
    cv::reduce(difference.reshape(1), any, 0, cv::REDUCE_MAX);
    std::vector<int> found;
    for (int x = 0; x < any.cols; ++x) {
      if (any.at<uint8_t>(0, x) > 0) found.push_back(x / 3);
    }
    return found;
  };
  const std::string left = "step 200 of 200 \u00b7 1.27 m/s forward of 1.36 asked",
                    right = "return \u2212125.12";
  const auto figure = columns(panel(" ", right), panel(" ", " "));
  const auto rest = columns(panel(left, right), panel(" ", right));
  REQUIRE_FALSE(figure.empty());
  if (width > 120) REQUIRE_FALSE(rest.empty());
  // Nothing is left out where films are usually made.
  const auto shorter = columns(panel("step 200 of 200", right), panel(left, right));
  CHECK(shorter.empty() == (width < 444));
  if (!rest.empty()) CHECK(rest.back() < figure.front());
}

TEST_CASE("a plane is drawn upright and to scale", "[drawing]") {
  const PlanarView view(scene().arena, 400);
  CHECK(view.size() == cv::Size(400, 400));
  CHECK(view.at({-1, -1}) == cv::Point2d(0, 400));
  CHECK(view.at({1, 1}) == cv::Point2d(400, 0));
  CHECK(view.pixels(0.5) == Approx(100));
  const Eigen::AlignedBox2d wide(Eigen::Vector2d(0, 0), Eigen::Vector2d(3, 1));
  CHECK(PlanarView(wide, 301).size() == cv::Size(302, 100));  // even sides: films need them
}

TEST_CASE("a picture shows the goal at the goal, the body at the body, its trail behind and nothing ahead",
          "[drawing]") {
  const auto film = renderer();
  REQUIRE(film.frames() == 21);
  const cv::Mat picture = film.frame(10);
  CHECK(picture.size() == film.size());
  // The region of success to scale: a ring of radius 0.05, nothing of the ring within or without.
  CHECK(distance(pixel_at(picture, {0.55, 0.25}), planar_colours::kGoal) < 60);
  CHECK(distance(pixel_at(picture, {0.5, 0.2}), planar_colours::kGoal) < 60);
  CHECK(distance(pixel_at(picture, {0.52, 0.25}), planar_colours::kGoal) > 100);
  CHECK(is_paper(pixel_at(picture, {0.535, 0.32})));
  CHECK(distance(pixel_at(picture, {0.2, -0.3}), planar_colours::kTrail) < 3);  // the body after ten steps
  CHECK_FALSE(is_paper(pixel_at(picture, {0.1, -0.3})));
  CHECK(is_paper(pixel_at(picture, {0.3, -0.3})));
  CHECK_FALSE(is_paper(pixel_at(film.frame(20), {0.3, -0.3})));
  const cv::Vec3b wall = pixel_at(picture, {-0.8, -0.7});
  CHECK(wall[0] + wall[1] + wall[2] < 300);  // dark
}

TEST_CASE("the other trajectories are drawn, fainter than the filmed one", "[drawing]") {
  const auto film = renderer();
  const cv::Mat picture = film.frame(10);
  const cv::Vec3b other = pixel_at(picture, {-0.3, 0.13});
  CHECK_FALSE(is_paper(other));
  CHECK(distance(other, {255, 255, 255}) < distance(pixel_at(picture, {0.13, -0.3}), {255, 255, 255}));
  CHECK(is_paper(pixel_at(picture, {-0.3, 0.33})));
  CHECK_FALSE(is_paper(pixel_at(film.whole(), {-0.3, 0.33})));
}

TEST_CASE("an arena is fitted to goals and filmed paths, but a runaway does not make them invisible",
          "[drawing]") {
  const auto near = fitted_arena(scene(), {{pose_at(0, 0), pose_at(0.5, 0.5)}});
  CHECK(near.contains(scene().arena));
  CHECK(near.sizes().x() < 1.2 * scene().arena.sizes().x());
  const auto grown = fitted_arena(scene(), {{pose_at(0, 0), pose_at(1.8, 0)}});
  CHECK(grown.contains(Eigen::Vector2d(1.83, 0)));
  CHECK(grown.max().y() < 1.3);
  CHECK(fitted_arena(scene(), {{pose_at(0, 0), pose_at(90, 0)}}).max().x() < 3.5);
}

TEST_CASE("what moves on a line is drawn on it, and its way below it, later lower", "[drawing]") {
  PlanarScene rail;
  rail.arena = Eigen::AlignedBox2d(Eigen::Vector2d(-1, -0.1), Eigen::Vector2d(1, 0.4));
  rail.solid = {make_box({Eigen::Vector2d(-1, -0.05), Eigen::Vector2d(1, 0)})};
  rail.goal = make_box({Eigen::Vector2d(0.5, 0), Eigen::Vector2d(0.6, 0.3)});
  rail.view = PlanarScene::View::kFromTheSide;
  Poses path;
  for (int i = 0; i <= 10; ++i) {
    const Eigen::Vector2d place(-0.06 * i, 0.1);
    path.push_back(
        {place, {make_box({place - Eigen::Vector2d(0.1, 0.1), place + Eigen::Vector2d(0.1, 0.1)})}});
  }
  const PlanarRenderer film(rail, {path}, 0, 10, 400);
  const cv::Mat first = film.frame(0), last = film.frame(10);
  const auto is_trail = [&](const cv::Mat& picture, double x, double y) {
    return distance(pixel_at(picture, film.view(), {x, y}), planar_colours::kTrail) < 60;
  };
  CHECK(is_trail(first, 0, 0.1));  // the cart
  CHECK_FALSE(is_trail(last, 0, 0.1));
  CHECK(is_trail(last, -0.6, 0.1));
  CHECK(is_trail(last, -0.54, -0.1 - 0.9 * 1.0));  // its trail, 90 % of the way down
  CHECK_FALSE(is_trail(first, -0.54, -0.1 - 0.9 * 1.0));
  CHECK_FALSE(is_paper(pixel_at(first, film.view(), {0.55, -0.5})));  // the goal's place, all the way down
  CHECK(is_paper(pixel_at(first, film.view(), {0.65, -0.5})));
}

TEST_CASE("an environment without a scene is drawn as its numbers over time, with their names", "[drawing]") {
  EnvironmentSpec spec;
  spec.observation_size = 10;
  spec.action_size = 1;
  spec.horizon = 4;
  spec.action_names = {"force"};
  Trajectories trajectories(1, 2, 4, 10, 1);
  for (int64_t n = 0; n < 2; ++n) {
    trajectories.observation_buffer(0, n).setZero();
    trajectories.observation_buffer(0, n).row(1) << 0, 1, 2, 3;
    trajectories.action_buffer(0, n).setConstant(-0.5f);
    trajectories.reward_buffer(0, n).setConstant(static_cast<float>(n));
    trajectories.finish(0, n, n == 0 ? 3 : 4, false);
  }
  auto strips = make_strips(spec, trajectories, 0);
  REQUIRE(strips.size() == 8 + 1 + 1);
  CHECK(omitted_strips(spec) == 2);
  CHECK(strips[1].name == "observation_1");
  CHECK(strips[8].name == "force");
  CHECK(strips[9].name == "reward");
  CHECK(strips[1].values[0] == std::vector<float>{0, 1, 2});
  CHECK(strips[1].high == 3);
  CHECK(strips[8].low == -0.5);
  CHECK(strips[9].values[1] == std::vector<float>{1, 1, 1, 1});
  std::vector<std::vector<Strip>> pictures{strips, strips};
  pictures[1][1].high = 7;
  share_ranges(pictures);
  CHECK(pictures[0][1].high == 7);

  const SeriesRenderer film(strips, 2, 0, 4, {640, 480});
  CHECK(film.frames() == 4);
  CHECK(film.whole().size() == cv::Size(640, 480));
  CHECK(cv::norm(film.frame(0), film.frame(3), cv::NORM_INF) > 50);
  CHECK_THROWS_WITH(film.frame(4), contains("frame 4 of a film of 4"));
  CHECK(film.legend().back().text == "2 more numbers are not shown");
}

TEST_CASE("a legend takes as many lines as its entries need", "[drawing]") {
  const std::vector<LegendEntry> entries(5, {LegendEntry::Symbol::kDisc, {0, 0, 255}, "what this mark is"});
  const cv::Mat wide = legend(entries, 1200), narrow = legend(entries, 300);
  CHECK(wide.cols == 1200);
  CHECK(wide.rows % 2 == 0);
  CHECK(narrow.rows > 2 * wide.rows);
  cv::Mat red;
  cv::inRange(narrow, cv::Scalar(0, 0, 250), cv::Scalar(5, 5, 255), red);
  CHECK(cv::countNonZero(red) > 5 * 80);  // every disc
}

TEST_CASE("what cannot be drawn is refused with the reason", "[drawing]") {
  CHECK_THROWS_WITH(renderer().frame(21), contains("frame 21 of a film of 21"));
  CHECK_THROWS_WITH(PlanarRenderer(scene(), {}, 0, 100), contains("trajectory 0 of 0"));
  CHECK_THROWS_WITH(PlanarRenderer(scene(), {Poses{}}, 0, 100), contains("without positions"));
  const Eigen::AlignedBox2d flat(Eigen::Vector2d(0, 0), Eigen::Vector2d(1, 0));
  CHECK_THROWS_WITH(PlanarView(flat, 400), contains("cannot draw an arena"));
}

TEST_CASE("captions are set where they belong and stay inside the picture", "[drawing]") {
  const Font font;
  CHECK(font.width("\u22123.21", 20) == Approx(font.width("\u22127.85", 20)));  // figures do not jitter
  CHECK(font.width("ab", 20) == Approx(2 * font.width("ab", 10)).epsilon(0.02));
  cv::Mat image(40, 100, CV_8UC3, cv::Scalar(255, 255, 255));
  draw_text(image, font, "Hello", {100, 30}, Align::kRight, 20, {0, 0, 0});
  const double width = font.width("Hello", 20);
  const auto darkest = [&](int from, int to) {
    double low = 0;
    cv::minMaxLoc(image.colRange(from, to).clone().reshape(1), &low);
    return low;
  };
  CHECK(darkest(0, static_cast<int>(100 - width) - 1) == 255);
  CHECK(darkest(static_cast<int>(100 - width), 100) < 80);
  draw_text(image, font, "outside", {90, 60}, Align::kLeft, 30, {0, 0, 0});  // cut, not a crash
}

TEST_CASE("figures have a true minus sign, and zero has none", "[drawing]") {
  CHECK(figure(-3.214) == "\u22123.21");
  CHECK(figure(-0.001) == "0.00");
  CHECK(figure(12.5, 1) == "12.5");
  CHECK(true_minus("goal (-0.30, 0.20), step-size -1") == "goal (\u22120.30, 0.20), step-size \u22121");
  CHECK(step_title(0) == "Before adaptation");
  CHECK(step_title(1) == "After 1 gradient step");
  CHECK(step_title(3) == "After 3 gradient steps");
  CHECK(step_title(0, true) == "First episode");
  CHECK(step_title(2, true) == "After 2 episodes");
}

TEST_CASE("panels are set in rows, with paper where a row is short", "[drawing]") {
  const cv::Mat black(10, 20, CV_8UC3, cv::Scalar(0, 0, 0));
  const cv::Mat three = in_rows({black, black, black}, 2);
  CHECK(three.size() == cv::Size(40, 20));
  CHECK(three.at<cv::Vec3b>(15, 10) == cv::Vec3b(0, 0, 0));
  CHECK(three.at<cv::Vec3b>(15, 30)[0] > 200);
}
