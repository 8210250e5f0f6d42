#include "runners/drawing/video.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include "base/error.h"
#include "base/files.h"
#include "runners/drawing/plot.h"
#include "runners/drawing/plot_progress.h"
#include "tests/catch.h"
#include "tests/runners/scratch_folder.h"

using namespace innerloop;
namespace fs = std::filesystem;

namespace {

cv::Mat picture(int shade) { return cv::Mat(64, 96, CV_8UC3, cv::Scalar(shade, shade, shade)); }

std::string head(const fs::path& file, size_t bytes) {
  std::string text(bytes, '\0');
  std::ifstream(file).read(text.data(), static_cast<std::streamsize>(bytes));
  return text;
}

const Plot kPlot{
    .title = "It's a title with_underscores",
    .subtitle = "and \"quotes\" $x",
    .x_label = "gradient steps",
    .y_label = "return",
    .whole_x = true,
    .curves = {{"a", {0, 1, 2}, {-3, -2, -1}, {0.5, 0.4, 0.3}}, {"b", {0, 1, 2}, {-2, -2, -2}, {}}}};

}  // namespace

TEST_CASE("whatever an axis spans, it has numbers and its label is in the picture", "[plot]") {
  const ScratchFolder folder;
  const auto plot = [](std::vector<double> y, bool log_y, bool percent) {
    Plot made = kPlot;
    made.log_y = log_y;
    made.percent = percent;
    made.curves = {{"a", {0, 1, 2}, std::move(y)}};
    return made;
  };
  for (const auto& made : {plot({-3000, -2000, -1000}, false, false), plot({60, 90, 99}, false, true),
                           plot({2.6, 3.1, 4.2}, true, false), plot({1.1, 3, 5.6}, true, false),
                           plot({0.3, 30, 300}, true, false)}) {
    write_plot(made, folder / "plot.png");
    const cv::Mat picture = cv::imread((folder / "plot.png").string());
    cv::Mat grid, ink;
    cv::inRange(picture, cv::Scalar(233, 229, 227), cv::Scalar(237, 233, 231), grid);  // #E5E7EB
    int lines = 0;  // of the grid, one at every number of the y axis
    for (int row = 0; row < grid.rows; ++row) lines += cv::countNonZero(grid.row(row)) > picture.cols / 2;
    INFO(made.curves.front().y.front() << ", logarithm: " << made.log_y);
    CHECK(lines >= 2);
    cv::inRange(picture, cv::Scalar(0, 0, 0), cv::Scalar(128, 128, 128), ink);
    CHECK(cv::countNonZero(ink.colRange(0, 5)) == 0);
    CHECK(cv::countNonZero(ink.colRange(5, 40).rowRange(150, 600)) > 50);  // the label
  }
}

TEST_CASE("a logarithmic x axis gives each decade the same room, and takes no 0", "[plot]") {
  const ScratchFolder folder;
  Plot made = kPlot;
  made.log_x = true;
  made.whole_x = false;
  made.curves = {{"a", {1e-4, 1e-2, 1}, {0, 1, 2}}};
  write_plot(made, folder / "plot.png");
  const cv::Mat picture = cv::imread((folder / "plot.png").string());
  cv::Mat grid;
  cv::inRange(picture, cv::Scalar(233, 229, 227), cv::Scalar(237, 233, 231), grid);
  std::vector<int> places;  // of the vertical lines, one at every power of ten between the ends
  for (int column = 0; column < grid.cols; ++column) {
    if (cv::countNonZero(grid.col(column)) < picture.rows / 3) continue;
    if (places.empty() || column > places.back() + 2) places.push_back(column);
  }
  REQUIRE(places.size() >= 3);
  for (size_t i = 2; i < places.size(); ++i)
    CHECK(std::abs((places[i] - places[i - 1]) - (places[1] - places[0])) <= 2);
  made.curves.front().x.front() = 0;
  CHECK_THROWS_WITH(write_plot(made, folder / "zero.png"), contains("above 0 on a logarithmic axis"));
  CHECK_FALSE(fs::exists(folder / "zero.png"));
}

TEST_CASE("a film is H.264 and reads back with its size, rate, length and pictures", "[video]") {
  const ScratchFolder folder;
  const fs::path file = folder / "film.mp4";
  {
    Video video(file, {96, 64}, 8);
    for (int i = 0; i < 10; ++i) video.add(picture(20 * i));
    CHECK_FALSE(fs::exists(file));  // not before it is whole
    video.finish();
  }
  CHECK(folder.files() == std::vector<std::string>{"film.mp4"});
  cv::VideoCapture film(file.string(), cv::CAP_FFMPEG);
  REQUIRE(film.isOpened());
  CHECK(film.get(cv::CAP_PROP_FRAME_WIDTH) == 96);
  CHECK(film.get(cv::CAP_PROP_FRAME_HEIGHT) == 64);
  CHECK(film.get(cv::CAP_PROP_FPS) == Approx(8));
  const int code = static_cast<int>(film.get(cv::CAP_PROP_FOURCC));
  const std::string codec{static_cast<char>(code), static_cast<char>(code >> 8),
                          static_cast<char>(code >> 16), static_cast<char>(code >> 24)};
  CHECK((codec == "h264" || codec == "avc1"));
  cv::Mat frame;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(film.read(frame));
    CHECK(std::abs(frame.at<cv::Vec3b>(32, 48)[1] - 20 * i) < 8);
  }
  CHECK_FALSE(film.read(frame));
}

TEST_CASE("a film of higher quality is larger and nearer to its pictures", "[video]") {
  const ScratchFolder folder;
  std::vector<cv::Mat> pictures;
  cv::RNG generator(1);
  for (int i = 0; i < 8; ++i) {
    cv::Mat rough(12, 16, CV_8UC3), smooth;
    generator.fill(rough, cv::RNG::UNIFORM, 0, 255);
    cv::resize(rough, smooth, {160, 120});
    pictures.push_back(smooth);
  }
  const auto film = [&](const char* name, int quality) {
    Video video(folder / name, {160, 120}, 20, quality);
    for (const auto& one : pictures) video.add(one);
    video.finish();
    return fs::file_size(folder / name);
  };
  const auto error = [&](const char* name) {  // mean distance of a shade
    cv::VideoCapture capture((folder / name).string(), cv::CAP_FFMPEG);
    double sum = 0;
    cv::Mat frame;
    for (const auto& one : pictures) {
      REQUIRE(capture.read(frame));
      sum += cv::norm(frame, one, cv::NORM_L1) / static_cast<double>(one.total() * 3);
    }
    return sum / static_cast<double>(pictures.size());
  };
  const auto low = film("low.mp4", 0), usual = film("usual.mp4", kFilmQuality), high = film("high.mp4", 100);
  CHECK(2 * low < usual);
  CHECK(2 * usual < high);
  CHECK(error("high.mp4") < 0.7 * error("usual.mp4"));
  CHECK(error("usual.mp4") < 0.7 * error("low.mp4"));
  CHECK_THROWS_WITH(Video(folder / "film.mp4", {96, 64}, 8, 101), contains("101") && contains("0 to 100"));
}

TEST_CASE("a film that is not finished, or cannot be made, leaves nothing behind", "[video]") {
  const ScratchFolder folder;
  {
    Video video(folder / "film.mp4", {96, 64}, 8);
    video.add(picture(0));
    CHECK_THROWS_WITH(video.add(cv::Mat(64, 64, CV_8UC3)), contains("64 x 64") && contains("96 x 64"));
  }
  CHECK_THROWS_WITH(Video(folder / "film.mp4", {95, 64}, 8), contains("even sides"));
  CHECK_THROWS_WITH(Video(folder / "film.mp4", {96, 64}, 0), contains("more than 0"));
  CHECK_THROWS_WITH(Video(folder / "nowhere" / "film.mp4", {96, 64}, 8), contains("No such file"));
  {
    Video empty(folder / "film.mp4", {96, 64}, 8);
    CHECK_THROWS_WITH(empty.finish(), contains("no picture"));
  }
  CHECK(folder.files().empty());
}

TEST_CASE("a film for which the disk has no room is an error, not a shorter film", "[video]") {
  const ScratchFolder folder;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // writing beyond the limit fails like a full disk
  std::string message;
  {
    rlimit tight = before;
    tight.rlim_cur = 20000;
    setrlimit(RLIMIT_FSIZE, &tight);
    try {
      Video video(folder / "film.mp4", {640, 480}, 8);
      cv::Mat noise(480, 640, CV_8UC3);
      cv::RNG generator(1);
      for (int i = 0; i < 60; ++i) {
        generator.fill(noise, cv::RNG::UNIFORM, 0, 255);
        video.add(noise);
      }
      video.finish();
    } catch (const Error& error) {
      message = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
  }
  CHECK_THAT(message, contains("is the disk full?"));
  CHECK(folder.files().empty());
}

TEST_CASE("a file being written leaves the former one alone until it is whole", "[video]") {
  const ScratchFolder folder;
  const fs::path file = folder / "picture.png";
  write_picture(file, picture(10));
  const auto size = fs::file_size(file);
  {
    PendingFile pending(file);
    std::ofstream(pending.path()) << "half";
  }
  CHECK(fs::file_size(file) == size);
  {
    PendingFile pending(file);
    CHECK_THROWS_WITH(pending.commit(), contains("nothing was written"));
  }
  CHECK(fs::file_size(file) == size);
  CHECK(cv::imread(file.string()).at<cv::Vec3b>(0, 0)[0] == 10);
  CHECK(folder.files() == std::vector<std::string>{"picture.png"});
}

TEST_CASE("a plot is a PNG that is not empty paper, whatever its texts hold", "[plot]") {
  const ScratchFolder folder;
  write_plot(kPlot, folder / "a plot's name.png");
  CHECK(folder.files() == std::vector<std::string>{"a plot's name.png"});
  const cv::Mat image = cv::imread((folder / "a plot's name.png").string());
  REQUIRE(image.size() == cv::Size(1000, 640));
  // The first curve's blue, rgb 0 114 178.
  cv::Mat blue;
  cv::inRange(image, cv::Scalar(168, 104, 0), cv::Scalar(188, 124, 10), blue);
  CHECK(cv::countNonZero(blue) > 500);
}

TEST_CASE("every curve of a plot is named in it, beside the curves where there are too many for above",
          "[plot]") {
  const ScratchFolder folder;
  Plot plot = kPlot;
  plot.curves.clear();
  for (int i = 0; i < 29; ++i) {
    plot.curves.push_back(
        {concat("algorithm ", i, i == 7 ? ", inner.step_size = 0.01, another.key = adaptation" : ""),
         {0, 1, 2},
         {0.1 * i, 0.2 * i, 0.3 * i}});
  }
  write_plot(plot, folder / "many.svg");
  const std::string svg = read_file(folder / "many.svg", 1'000'000);
  for (const auto& curve : plot.curves) CHECK_THAT(svg, contains(">" + curve.label + "<"));
  write_plot(plot, folder / "many.png");
  const cv::Mat picture = cv::imread((folder / "many.png").string());
  CHECK(picture.rows == 640);
  CHECK(picture.cols > 1300);
  cv::Mat ink;
  cv::inRange(picture, cv::Scalar(0, 0, 0), cv::Scalar(128, 128, 128), ink);
  CHECK(cv::countNonZero(ink.colRange(1000, picture.cols)) > 1000);
  CHECK(cv::countNonZero(ink.colRange(picture.cols - 5, picture.cols)) ==
        0);  // no name runs out of the picture
  plot.curves.resize(3);
  write_plot(plot, folder / "few.png");
  CHECK(cv::imread((folder / "few.png").string()).cols == 1000);
}

TEST_CASE("a plot without numbers, or without gnuplot, is refused and leaves nothing behind", "[plot]") {
  const ScratchFolder folder;
  Plot plot = kPlot;
  plot.curves[0].y[1] = std::nan("");
  CHECK_THROWS_WITH(write_plot(plot, folder / "p.png"), contains("'a'") && contains("nan"));
  plot.curves.clear();
  CHECK_THROWS_WITH(write_plot(plot, folder / "p.png"), contains("no curves"));
  plot = kPlot;
  plot.curves[1].x.pop_back();
  CHECK_THROWS_WITH(write_plot(plot, folder / "p.png"), contains("2 x, 3 y"));

  const std::string path = std::getenv("PATH");
  setenv("PATH", folder.path().c_str(), 1);
  CHECK_THROWS_WITH(write_plot(kPlot, folder / "p.png"), contains("gnuplot does not start"));
  // A gnuplot that fails.
  std::ofstream(folder / "gnuplot") << "#!/bin/sh\necho no terminal\nexit 3\n";
  fs::permissions(folder / "gnuplot", fs::perms::owner_all);
  CHECK_THROWS_WITH(write_plot(kPlot, folder / "p.png"), contains("code 3") && contains("no terminal"));
  setenv("PATH", path.c_str(), 1);
  CHECK(folder.files() == std::vector<std::string>{"gnuplot"});
}

TEST_CASE("the course of a training is plotted from its whole rows", "[plot]") {
  const ScratchFolder folder;
  const fs::path csv = folder / "progress.csv", png = folder / "progress.png";
  CHECK_FALSE(plot_progress(csv, png, "navigation_2d, maml, seed 1"));  // no file yet
  const std::string header = "iteration,step_0_return_mean,step_0_return_std,step_1_return_mean\n";
  std::ofstream(csv) << header;
  CHECK_FALSE(plot_progress(csv, png, "navigation_2d, maml, seed 1"));
  CHECK_FALSE(fs::exists(png));
  std::ofstream(csv) << header << "1,-50,3,-40\n2,-49,3,-30\n3,-4";  // the last row is being written
  CHECK(plot_progress(csv, png, "navigation_2d, maml, seed 1"));
  CHECK(head(png, 4) == "\x89PNG");
  fs::remove(png);
  std::ofstream(csv) << header << "1,-50,3,-40\n2,-49\n3,-48,3,-20\n";
  CHECK_THROWS_WITH(plot_progress(csv, png, "navigation_2d, maml, seed 1"),
                    contains("line 3 has 2 cells, expected 4"));
  std::ofstream(csv) << "epoch,loss\n1,2\n";
  CHECK_THROWS_WITH(plot_progress(csv, png, "navigation_2d, maml, seed 1"),
                    contains("epoch,loss") && contains("step_0_return_mean"));
  CHECK_FALSE(fs::exists(png));
}
