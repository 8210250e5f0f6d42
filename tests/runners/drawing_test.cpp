#include <cmath>
#include <opencv2/imgcodecs.hpp>

#include "base/error.h"
#include "runners/draw_planar.h"
#include "runners/panel.h"
#include "runners/text.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

PlanarScene scene() {
  PlanarScene scene;
  scene.arena = Eigen::AlignedBox2d(Eigen::Vector2d(-1, -1), Eigen::Vector2d(1, 1));
  scene.goal = {0.5, 0.25};
  scene.goal_radius = 0.05;
  scene.body_radius = 0.03;
  scene.walls = {{Eigen::Vector2d(-0.9, -0.9), Eigen::Vector2d(-0.7, -0.5)}};
  return scene;
}

// A straight way east along y = -0.3, and another trajectory that goes north.
PlanarRenderer renderer() {
  Path east, north;
  for (int i = 0; i <= 20; ++i) {
    east.emplace_back(0.02 * i, -0.3);
    north.emplace_back(-0.3, 0.02 * i);
  }
  return PlanarRenderer(scene(), {north, east}, 1, 400);
}

cv::Vec3b pixel_at(const cv::Mat& picture, const Eigen::Vector2d& position) {
  const cv::Point2d point = PlanarView(scene(), 400).at(position);
  return picture.at<cv::Vec3b>(static_cast<int>(point.y), static_cast<int>(point.x));
}

double distance(const cv::Vec3b& pixel, const cv::Scalar& colour) {
  return std::hypot(pixel[0] - colour[0], pixel[1] - colour[1], pixel[2] - colour[2]);
}

bool is_paper(const cv::Vec3b& pixel) { return distance(pixel, {255, 255, 255}) < 3; }

}  // namespace

TEST_CASE("a plane is drawn upright and to scale", "[drawing]") {
  const PlanarView view(scene(), 400);
  CHECK(view.size() == cv::Size(400, 400));
  CHECK(view.at({-1, -1}) == cv::Point2d(0, 400));
  CHECK(view.at({1, 1}) == cv::Point2d(400, 0));
  CHECK(view.pixels(0.5) == Approx(100));
  PlanarScene wide = scene();
  wide.arena = Eigen::AlignedBox2d(Eigen::Vector2d(0, 0), Eigen::Vector2d(3, 1));
  CHECK(PlanarView(wide, 301).size() == cv::Size(302, 100));  // even sides: films need them
}

TEST_CASE("a picture shows the goal at the goal, the body at the body, its trail behind and nothing ahead",
          "[drawing]") {
  const auto film = renderer();
  REQUIRE(film.frames() == 21);
  const cv::Mat picture = film.frame(10);
  CHECK(picture.size() == film.size());
  CHECK(distance(pixel_at(picture, {0.5, 0.25}), planar_colours::kGoal) < 3);
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

TEST_CASE("what cannot be drawn is refused with the reason", "[drawing]") {
  CHECK_THROWS_WITH(renderer().frame(21), contains("frame 21 of a film of 21"));
  CHECK_THROWS_WITH(PlanarRenderer(scene(), {}, 0), contains("trajectory 0 of 0"));
  CHECK_THROWS_WITH(PlanarRenderer(scene(), {Path{}}, 0), contains("without positions"));
  PlanarScene flat = scene();
  flat.arena = Eigen::AlignedBox2d(Eigen::Vector2d(0, 0), Eigen::Vector2d(1, 0));
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
  CHECK(step_title(0) == "Before adaptation");
  CHECK(step_title(1) == "After 1 gradient step");
  CHECK(step_title(3) == "After 3 gradient steps");
}

TEST_CASE("panels are set in rows, with paper where a row is short", "[drawing]") {
  const cv::Mat black(10, 20, CV_8UC3, cv::Scalar(0, 0, 0));
  const cv::Mat three = in_rows({black, black, black}, 2);
  CHECK(three.size() == cv::Size(40, 20));
  CHECK(three.at<cv::Vec3b>(15, 10) == cv::Vec3b(0, 0, 0));
  CHECK(three.at<cv::Vec3b>(15, 30)[0] > 200);
}
