#include "datasets/strokes.h"

#include <numeric>
#include <set>

#include "base/error.h"
#include "datasets/handwriting.h"
#include "tests/datasets/draw.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

const ImageStore& drawings() {
  static const ImageStore store = draw_strokes(28, 2);
  return store;
}

std::unique_ptr<Dataset> strokes() { return make_image_episodes({.name = "strokes"}, drawings(), {0}, {1}); }

// Share of query images whose nearest support image, pixel by pixel, is of their class.
double nearest_neighbour_accuracy(int64_t ways, int64_t tasks) {
  const EpisodeShape shape{.ways = ways, .shots = 1, .queries = 1};
  const auto episodes = draw_tasks(*strokes(), Split::kTest, shape, tasks);
  const auto distances = torch::cdist(episodes.query_x.flatten(2), episodes.support_x.flatten(2));
  return distances.argmin(2).eq(episodes.query_y).to(torch::kFloat64).mean().item<double>();
}

}  // namespace

TEST_CASE("a pixel's ink is the pen's half width over its distance to the line", "[datasets][strokes]") {
  constexpr int64_t kSide = 20;
  std::vector<uint8_t> pixels(kSide * kSide, 77);
  const Point a{5.25 / kSide, 10 / 20.0}, b{14.25 / kSide, 10 / 20.0};
  draw_ink({{a, b}}, 2.5 / kSide, kSide, pixels.data());
  for (int64_t r = 0; r < kSide; ++r) {
    for (int64_t c = 0; c < kSide; ++c) {
      const double x = static_cast<double>(c) + 0.5, y = static_cast<double>(r) + 0.5;  // its middle
      const double beyond = std::max({5.25 - x, x - 14.25, 0.0});
      const double ink = std::clamp(0.5 + 1.25 - std::hypot(beyond, y - 10), 0.0, 1.0);
      REQUIRE(std::abs(pixels[static_cast<size_t>(r * kSide + c)] - 255 * ink) < 0.51);
    }
  }
}

TEST_CASE("an arc of a stroke is one of a circle", "[datasets][strokes]") {
  const double pi = std::acos(-1.0);
  const Stroke half_circle{.arcs = {{.length = pi, .turn = pi}}};  // radius 1, from the origin towards +x
  const auto line = trace(half_circle);
  CHECK(line.size() > 15);
  for (const auto& p : line) CHECK(std::hypot(p.x, p.y - 1) == Approx(1).epsilon(1e-12));
  CHECK(line.back().x == Approx(0).margin(1e-12));
  CHECK(line.back().y == Approx(2).epsilon(1e-12));
  const Stroke corner{.arcs = {{.length = 2}, {.corner = pi / 2, .length = 1}}, .heading = pi / 2};
  CHECK(trace(corner).back().x == Approx(-1).epsilon(1e-12));
  CHECK(trace(corner).back().y == Approx(2).epsilon(1e-12));
}

TEST_CASE("strokes stay joined where the character joins them, whoever draws it", "[datasets][strokes]") {
  const Stroke stem{.arcs = {{.length = 1}}, .heading = 1.5};
  const Stroke bar{.arcs = {{.length = 0.6}}, .heading = 0, .parent = 0, .on = 0.5, .own = 0.5};
  for (uint64_t number = 0; number < 30; ++number) {
    Stream stream = task_stream(number);
    const Hand hand = sample_hand(stream);
    const auto lines = write_by_hand({{stem, bar}}, hand, stream);
    double nearest = 1;
    for (const auto& p : lines[0]) {
      for (const auto& q : lines[1]) nearest = std::min(nearest, std::hypot(p.x - q.x, p.y - q.y));
    }
    CHECK(nearest < 0.03);  // half a step of the lines
    const auto box = bounding_box(lines);
    CHECK(std::min({box.low.x, box.low.y, 1 - box.high.x, 1 - box.high.y}) > hand.pen - 1e-9);
  }
}

TEST_CASE("strokes have 1,400, 200 and 400 classes of 20 drawings, all different", "[datasets][strokes]") {
  const auto& store = drawings();
  CHECK(store.of(Split::kTrain).size() == 1400);
  CHECK(store.of(Split::kValidation).size() == 200);
  CHECK(store.of(Split::kTest).size() == 400);
  std::set<int64_t> firsts;
  std::set<std::string> names, alphabets_of[3];
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    for (const auto& c : store.of(split)) {
      REQUIRE(c.count == 20);
      firsts.insert(c.first);
      names.insert(c.name);
      alphabets_of[static_cast<size_t>(split)].insert(c.name.substr(0, c.name.find('/')));
    }
  }
  CHECK(firsts.size() == 2000);
  CHECK(names.size() == 2000);
  CHECK(alphabets_of[0].size() + alphabets_of[1].size() + alphabets_of[2].size() == 100);
  std::set<std::string> pictures;
  for (int64_t i = 0; i < store.images(); ++i) {
    pictures.emplace(reinterpret_cast<const char*>(store.image(i)), static_cast<size_t>(store.image_bytes()));
  }
  CHECK(pictures.size() == 40000);
}

TEST_CASE("characters of one alphabet differ before anyone draws them", "[datasets][strokes]") {
  for (uint64_t alphabet = 0; alphabet < 5; ++alphabet) {
    const auto characters = invent_alphabet(1, alphabet, 20);
    std::set<std::vector<uint8_t>> pictures;
    for (const auto& character : characters) {
      auto lines = trace(character);
      const auto box = bounding_box(lines);
      CHECK(std::max(box.high.x - box.low.x, box.high.y - box.low.y) == Approx(1).epsilon(0.02));
      for (auto& line : lines) {
        for (auto& p : line) p = {p.x - box.low.x, p.y - box.low.y};
      }
      std::vector<uint8_t> pixels(36);  // so coarse that only the shape counts
      draw_ink(lines, 0.2, 6, pixels.data());
      pictures.insert(pixels);
    }
    CHECK(pictures.size() == 20);
  }
}

TEST_CASE("drawings do not depend on the number of threads, and are those of other releases",
          "[datasets][strokes]") {
  const auto& store = drawings();
  const auto alone = draw_strokes(28, 1);
  CHECK(alone.pixels == store.pixels);
  // Ink of the first drawing of some classes; rounding of another machine's sines may move it a little.
  const auto ink = [&](Split split, size_t number) {
    const auto* image = store.image(store.of(split)[number].first);
    return std::accumulate(image, image + 784, 0.0) / 255;
  };
  CHECK(ink(Split::kTrain, 0) == Approx(40.81).margin(0.2));
  CHECK(ink(Split::kTrain, 777) == Approx(31.31).margin(0.2));
  CHECK(ink(Split::kTest, 399) == Approx(50.95).margin(0.2));
}

TEST_CASE("pixels alone tell characters apart better than chance, and far from well", "[datasets][strokes]") {
  const double five = nearest_neighbour_accuracy(5, 200);
  const double twenty = nearest_neighbour_accuracy(20, 50);
  CHECK(five > 0.25);
  CHECK(five < 0.45);
  CHECK(twenty > 0.09);
  CHECK(twenty < 0.22);
}

TEST_CASE("strokes are drawn in the size asked for", "[datasets][strokes]") {
  const auto dataset = make_dataset({.name = "strokes", .own = {{"image_size", 14}}});
  CHECK(dataset->spec().input == std::vector<int64_t>{1, 14, 14});
  CHECK(make_dataset({.name = "strokes"})->spec().input == std::vector<int64_t>{1, 28, 28});
  CHECK_THROWS_AS(make_dataset({.name = "strokes", .own = {{"image_size", 13}}}), UsageError);
  CHECK_THROWS_WITH(make_dataset({.name = "strokes", .own = {{"image_size", 129}}}),
                    contains("dataset.image_size") && contains("129"));
}
