#include "datasets/rainbow_strokes.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.h"
#include "datasets/numbered_tasks.h"
#include "tests/datasets/draw.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

const Dataset& rainbow() {
  static const auto dataset = make_dataset({.name = "rainbow_strokes"});
  return *dataset;
}

constexpr EpisodeShape kAll{.ways = 10, .shots = 70, .queries = 30};

// All images of a task, [1000, 3, 28, 28], class after class.
torch::Tensor images(int64_t task) {
  auto episodes = make_episodes(rainbow().spec(), kAll, 1);
  Stream stream = task_stream(0);
  numbered_tasks(rainbow())->draw_numbered(task, kAll, stream, episodes, 0);
  return torch::cat({episodes.support_x[0], episodes.query_x[0]});
}

// The colour that most pixels of an image [3, 28, 28] have: the ground.
std::vector<int> ground(const torch::Tensor& image) {
  std::vector<int> out(3);
  for (int64_t c = 0; c < 3; ++c)
    out[static_cast<size_t>(c)] = static_cast<int>(std::lround(255 * image[c].median().item<double>()));
  return out;
}

// How far ink reaches from the middle, in pixels, over all images of a task: a pixel has ink where it is
// lighter.
double reach(const torch::Tensor& task_images) {
  const auto lightest = std::get<0>(task_images.max(0)).sum(0);  // [28, 28]
  const double under = task_images[0].flatten(1).narrow(1, 0, 1).sum().item<double>();
  double far = 0;
  for (int64_t r = 0; r < 28; ++r) {
    for (int64_t c = 0; c < 28; ++c) {
      if (lightest[r][c].item<double>() < under + 0.01) continue;
      far = std::max({far, std::abs(static_cast<double>(r) - 13.5), std::abs(static_cast<double>(c) - 13.5)});
    }
  }
  return far;
}

double nearest_neighbour(int64_t train, int64_t test) {
  const auto from = images(train).narrow(0, 0, 700).flatten(1),
             to = images(test).narrow(0, 700, 300).flatten(1);
  const auto labels = torch::cdist(to.unsqueeze(0), from.unsqueeze(0)).argmin(2).flatten();
  double right = 0;
  for (int64_t i = 0; i < 300; ++i) right += labels[i].item<int64_t>() / 70 == i / 30 ? 1 : 0;
  return right / 300;
}

}  // namespace

TEST_CASE("rainbow strokes are 56 tasks, each of one colour, size and direction", "[datasets][rainbow]") {
  const auto& numbered = *numbered_tasks(rainbow());
  REQUIRE(numbered.tasks() == 56);
  CHECK(numbered.task_name(0) == "red");
  CHECK(numbered.task_name(5) == "red half-size turned 90");
  CHECK(numbered.task_name(55) == "violet half-size turned 270");
  std::set<std::string> names;
  for (int64_t task = 0; task < 56; ++task) names.insert(numbered.task_name(task));
  CHECK(names.size() == 56);
  CHECK(ground(images(0)[0]) == std::vector<int>{255, 0, 0});
  CHECK(ground(images(8)[500]) == std::vector<int>{255, 127, 0});
  CHECK(ground(images(55)[999]) == std::vector<int>{148, 0, 211});
  CHECK(reach(images(0)) > 11);
  CHECK(reach(images(4)) < 7.51);  // the 14 pixels in the middle
  CHECK(reach(images(4)) > 5.5);
}

TEST_CASE("the directions of rainbow strokes are quarter turns counter-clockwise", "[datasets][rainbow]") {
  // The mean image of a class, whose drawings are others in every task, turned back.
  const auto mean = [](int64_t task) {
    return images(task).narrow(0, 0, 700).view({10, 70, 3, 28, 28}).mean(1);
  };
  const auto upright = mean(0);
  for (int64_t turn = 1; turn < 4; ++turn) {
    const auto turned = mean(turn);
    const auto apart = [&](int64_t back) {
      return (torch::rot90(turned, -back, {2, 3}) - upright).square().sum().item<double>();
    };
    for (int64_t other = 0; other < 4; ++other) {
      if (other != turn) CHECK(apart(turn) < 0.3 * apart(other));
    }
  }
}

TEST_CASE("no two tasks of rainbow strokes have a drawing in common, and splits are MLTI's numbers",
          "[datasets][rainbow]") {
  // The ink alone, without colour: two tasks that differ in colour only.
  const auto ink = [](int64_t task) {
    const auto all = images(task).select(1, 1);
    return all.gt(0.5).flatten(1).to(torch::kFloat32);
  };
  const auto apart = torch::cdist(ink(0).unsqueeze(0), ink(48).unsqueeze(0));
  CHECK(apart.min().item<double>() > 0);
  std::set<std::vector<int>> colours;
  for (uint64_t number = 0; number < 200; ++number) {
    const auto one =
        draw_tasks(rainbow(), Split::kValidation, {.ways = 10, .shots = 1, .queries = 1}, 1, number);
    colours.insert(ground(one.query_x[0][0]));
  }
  // 15 and 4: orange, red; 16: yellow; 36 to 38: blue.
  CHECK(colours == std::set<std::vector<int>>{{255, 127, 0}, {255, 0, 0}, {255, 255, 0}, {0, 0, 255}});
}

TEST_CASE("a label of rainbow strokes means the same character in every task", "[datasets][rainbow]") {
  CHECK(nearest_neighbour(0, 0) > 0.6);
  CHECK(nearest_neighbour(0, 2) < 0.5);  // upside down: another task
  Stream stream = task_stream(0);
  const auto ten = rainbow().drawn_classes(Split::kTrain, {.ways = 10, .shots = 1, .queries = 1}, stream);
  std::vector<int64_t> expected(10);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(ten == expected);
  const auto three = rainbow().drawn_classes(Split::kTrain, {.ways = 3, .shots = 1, .queries = 1}, stream);
  CHECK(std::is_sorted(three.begin(), three.end()));
}

TEST_CASE("rainbow strokes refuse what they cannot draw", "[datasets][rainbow]") {
  CHECK_THROWS_WITH(rainbow().check(Split::kTrain, {.ways = 10, .shots = 90, .queries = 11}),
                    contains("100 images") && contains("needs 101"));
  CHECK_THROWS_WITH(rainbow().check(Split::kTrain, {.ways = 11, .shots = 1, .queries = 1}),
                    contains("10 classes"));
  auto episodes = make_episodes(rainbow().spec(), {.ways = 10, .shots = 1, .queries = 1}, 1);
  Stream stream = task_stream(0);
  CHECK_THROWS_WITH(numbered_tasks(rainbow())->draw_numbered(56, {.ways = 10, .shots = 1, .queries = 1},
                                                             stream, episodes, 0),
                    contains("no task 56"));
  CHECK_THROWS_WITH(make_dataset({.name = "rainbow_strokes", .own = {{"image_size", 13}}}),
                    contains("dataset.image_size") && contains("13"));
  CHECK_THROWS_WITH(make_dataset({.name = "rainbow_strokes", .own = {{"mean", "0.5,0.5"}}}),
                    contains("mean has 2 numbers"));
}
