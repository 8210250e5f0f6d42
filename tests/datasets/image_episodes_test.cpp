// Episodes over a store whose every pixel is known: channel c, row r, column k of image i of class j holds a
// number that names them all.
#include <map>
#include <set>

#include "base/error.h"
#include "datasets/image_store.h"
#include "tests/datasets/draw.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

constexpr int64_t kSide = 3;

uint8_t pixel(int64_t image, int64_t channel, int64_t row, int64_t column) {
  return static_cast<uint8_t>(image * 37 + channel * 101 + row * 11 + column);
}

// Training has classes of 6 and one of 4 images, validation two classes of 3, test five of 5.
ImageStore known_store(int64_t channels, bool rotate_train = false) {
  ImageStore store{.channels = channels, .height = kSide, .width = kSide};
  int64_t first = 0;
  const auto add = [&](Split split, const std::string& name, int64_t count) {
    store.classes[static_cast<size_t>(split)].push_back({name, first, count});
    first += count;
  };
  for (int i = 0; i < 4; ++i) add(Split::kTrain, concat("train", i), i == 2 ? 4 : 6);
  for (int i = 0; i < 2; ++i) add(Split::kValidation, concat("validation", i), 3);
  for (int i = 0; i < 5; ++i) add(Split::kTest, concat("test", i), 5);
  for (int64_t image = 0; image < first; ++image) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t r = 0; r < kSide; ++r) {
        for (int64_t k = 0; k < kSide; ++k) store.pixels.push_back(pixel(image, c, r, k));
      }
    }
  }
  store.rotate[0] = rotate_train;
  return store;
}

std::unique_ptr<Dataset> known(int64_t channels = 1, bool rotate_train = false,
                               std::vector<double> mean = {0}, std::vector<double> std = {1}) {
  return make_image_episodes({.name = "known"}, known_store(channels, rotate_train), std::move(mean),
                             std::move(std));
}

// The image of the store that `x` [channels, side, side] shows, and its quarter turns; {-1, -1} if none.
std::pair<int64_t, int64_t> recognise(const torch::Tensor& x) {
  const auto store = known_store(x.size(0));
  const auto bytes = (x * 255).round().to(torch::kUInt8);
  for (int64_t image = 0; image < store.images(); ++image) {
    const auto stored =
        torch::from_blob(const_cast<uint8_t*>(store.image(image)), {x.size(0), kSide, kSide}, torch::kUInt8);
    for (int64_t turns = 0; turns < 4; ++turns) {
      if (torch::rot90(stored, turns, {1, 2}).equal(bytes)) return {image, turns};
    }
  }
  return {-1, -1};
}

int64_t class_of(const ImageStore& store, Split split, int64_t image) {
  for (size_t j = 0; j < store.of(split).size(); ++j) {
    const auto& c = store.of(split)[j];
    if (image >= c.first && image < c.first + c.count) return static_cast<int64_t>(j);
  }
  return -1;
}

}  // namespace

TEST_CASE("an episode shows distinct classes of its split, none of its images twice, one turn per class",
          "[datasets][images]") {
  const auto channels = GENERATE(1, 3);
  const bool rotate = GENERATE(false, true);
  const EpisodeShape shape{.ways = 3, .shots = 2, .queries = 2};
  const auto store = known_store(channels);
  const auto dataset = known(channels, rotate);
  std::set<int64_t> turns_seen, images_seen;
  for (uint64_t number = 0; number < 60; ++number) {
    const auto episodes = draw_tasks(*dataset, Split::kTrain, shape, 1, number);
    std::set<int64_t> images, classes;
    for (int64_t label = 0; label < shape.ways; ++label) {
      std::set<std::pair<int64_t, int64_t>> origins;  // (class, turns) of this label's images
      for (const bool query : {false, true}) {
        for (int64_t i = 0; i < 2; ++i) {
          const int64_t at = label * 2 + i;
          REQUIRE((query ? episodes.query_y : episodes.support_y)[0][at].item<int64_t>() == label);
          const auto [image, turns] = recognise((query ? episodes.query_x : episodes.support_x)[0][at]);
          REQUIRE(image >= 0);
          images.insert(image);
          images_seen.insert(image);
          turns_seen.insert(turns);
          origins.insert({class_of(store, Split::kTrain, image), turns});
        }
      }
      REQUIRE(origins.size() == 1);
      REQUIRE(origins.begin()->first >= 0);
      classes.insert(origins.begin()->first);
    }
    REQUIRE(images.size() == 12);
    REQUIRE(classes.size() == 3);
  }
  CHECK(images_seen.size() == 22);  // every training image has its turn
  CHECK(turns_seen == (rotate ? std::set<int64_t>{0, 1, 2, 3} : std::set<int64_t>{0}));
}

TEST_CASE("only the splits that turn their images turn them", "[datasets][images]") {
  const EpisodeShape shape{.ways = 5, .shots = 1, .queries = 1};
  const auto episodes = draw_tasks(*known(1, true), Split::kTest, shape, 10);
  for (const auto& x : episodes.query_x.flatten(0, 1).unbind()) REQUIRE(recognise(x).second == 0);
}

TEST_CASE("pixels enter as (p / 255 - mean) / std of their channel", "[datasets][images]") {
  const auto dtype = GENERATE(torch::kFloat32, torch::kFloat64);
  const EpisodeShape shape{.ways = 2, .shots = 1, .queries = 1};
  const auto raw = draw_tasks(*known(3), Split::kTest, shape, 4, 0, dtype);
  const auto normalised =
      draw_tasks(*known(3, false, {0.5, 0.25, 0}, {2, 0.5, 3}), Split::kTest, shape, 4, 0, dtype);
  const auto mean = torch::tensor({0.5, 0.25, 0.0}, dtype).view({3, 1, 1});
  const auto std = torch::tensor({2.0, 0.5, 3.0}, dtype).view({3, 1, 1});
  CHECK(raw.query_x.scalar_type() == dtype);
  CHECK(torch::allclose(normalised.query_x, (raw.query_x - mean) / std));
  const auto one_number = draw_tasks(*known(3, false, {0.5}, {2}), Split::kTest, shape, 4, 0, dtype);
  CHECK(torch::allclose(one_number.support_x, (raw.support_x - 0.5) / 2));
  const auto spec = known(3, false, {0.5, 0.25, 0}, {2, 0.5, 3})->spec();
  CHECK(spec.black == std::vector<double>{-0.25, -0.5, 0});
  CHECK(spec.white == std::vector<double>{0.25, 1.5, 1.0 / 3});
}

TEST_CASE("the samples of the smallest class of a split are counted", "[datasets][images]") {
  CHECK(known()->samples_per_class(Split::kTrain) == 4);
  CHECK(known()->samples_per_class(Split::kTest) == 5);
}

TEST_CASE("each class gets each label equally often, and each pair of labels", "[datasets][images]") {
  const EpisodeShape shape{.ways = 5, .shots = 1, .queries = 1};
  constexpr int kTasks = 4000;
  const auto store = known_store(1);
  const auto episodes = draw_tasks(*known(), Split::kTest, shape, kTasks);
  std::vector<double> cells(25, 0), pairs(25, 0);
  for (int64_t t = 0; t < kTasks; ++t) {
    std::vector<int64_t> classes;
    for (int64_t label = 0; label < 5; ++label) {
      // The first pixel alone names the image of this store.
      const auto byte =
          static_cast<uint8_t>(std::lround(episodes.support_x[t][label][0][0][0].item<float>() * 255));
      for (int64_t image = 28; image < 53; ++image) {
        if (pixel(image, 0, 0, 0) == byte) classes.push_back(class_of(store, Split::kTest, image));
      }
    }
    REQUIRE(classes.size() == 5);
    for (size_t label = 0; label < 5; ++label) ++cells[static_cast<size_t>(classes[label]) * 5 + label];
    ++pairs[static_cast<size_t>(classes[0] * 5 + classes[1])];
  }
  double cell_statistic = 0, pair_statistic = 0;
  for (size_t i = 0; i < 25; ++i) {
    cell_statistic += std::pow(cells[i] - kTasks / 5.0, 2) / (kTasks / 5.0);
    if (i % 6 != 0) pair_statistic += std::pow(pairs[i] - kTasks / 20.0, 2) / (kTasks / 20.0);
  }
  CHECK(cell_statistic < 39.3);  // chi-square, 16 degrees of freedom: 0.1 % above
  CHECK(pair_statistic < 43.8);  // 19 degrees of freedom
}

TEST_CASE("a task that the images do not suffice for is refused with the counts", "[datasets][images]") {
  const auto dataset = known();
  const auto refused = [&](Split split, const EpisodeShape& shape, const auto& matcher) {
    CHECK_THROWS_AS(dataset->check(split, shape), UsageError);
    CHECK_THROWS_WITH(dataset->check(split, shape), matcher);
    auto episodes = make_episodes(dataset->spec(), shape, 1);
    Stream stream = task_stream(0);
    CHECK_THROWS_WITH(dataset->draw(split, shape, stream, episodes, 0), matcher);
  };
  CHECK_NOTHROW(dataset->check(Split::kTrain, {.ways = 4, .shots = 1, .queries = 3}));
  refused(Split::kTrain, {.ways = 4, .shots = 2, .queries = 3},
          contains("class train2 of the train split has 4 images") && contains("needs 5"));
  refused(Split::kValidation, {.ways = 3, .shots = 1, .queries = 1},
          contains("the validation split has 2 classes") && contains("3 ways"));
}

TEST_CASE("normalisations and stores that make no sense are refused", "[datasets][images]") {
  CHECK_THROWS_WITH(known(3, false, {0, 0}, {1}), contains("mean has 2 numbers") && contains("1 or 3"));
  CHECK_THROWS_AS(known(3, false, {0}, {1, 1}), UsageError);
  CHECK_THROWS_WITH(known(1, false, {0}, {0}), contains("std is 0"));
  auto store = known_store(1);
  store.classes[2].back().count = 6;
  CHECK_THROWS_WITH(make_image_episodes({.name = "known"}, store, {0}, {1}), contains("test4"));
}

TEST_CASE("the classes of a task are those its images show, label by label", "[datasets][images]") {
  const bool rotate = GENERATE(false, true);
  const EpisodeShape shape{.ways = 3, .shots = 1, .queries = 2};
  const auto store = known_store(1, rotate);
  const auto dataset = known(1, rotate);
  for (uint64_t number = 0; number < 20; ++number) {
    const auto task = draw_tasks(*dataset, Split::kTrain, shape, 1, number);
    Stream stream = task_stream(number);
    const auto classes = dataset->drawn_classes(Split::kTrain, shape, stream);
    REQUIRE(classes.size() == 3);
    for (int64_t label = 0; label < 3; ++label) {
      const int64_t image = recognise(task.support_x[0][label]).first;
      CHECK(classes[static_cast<size_t>(label)] == class_of(store, Split::kTrain, image));
    }
  }
}

TEST_CASE("tasks that share no sample go on until fewer classes than a task needs have enough left",
          "[datasets][images]") {
  // Test has five classes of five images. Tasks of two classes with two samples each: every class serves two
  // tasks at most, so that four or five tasks are there and at least 16 of the 25 images are shown.
  const auto dataset = known();
  const EpisodeShape shape{.ways = 2, .shots = 1, .queries = 1};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Stream stream({.seed = seed});
    const auto tasks = dataset->disjoint_tasks(Split::kTest, shape, 100, stream);
    CHECK((tasks.size() == 4 || tasks.size() == 5));
    std::map<int64_t, std::set<int64_t>> shown;  // samples by class
    for (const auto& task : tasks) {
      REQUIRE(task.classes.size() == 2);
      REQUIRE(task.samples.size() == 4);
      CHECK(task.classes[0] != task.classes[1]);
      for (size_t i = 0; i < 4; ++i) {
        CHECK((task.samples[i] >= 0 && task.samples[i] < 5));
        CHECK(shown[task.classes[i / 2]].insert(task.samples[i]).second);
      }
    }
    int64_t with_two_left = 0;
    for (int64_t c = 0; c < 5; ++c) with_two_left += 5 - shown[c].size() >= 2 ? 1 : 0;
    CHECK(with_two_left < 2);
  }
  Stream stream({.seed = 1});
  CHECK(dataset->disjoint_tasks(Split::kTest, shape, 3, stream).size() == 3);
}

TEST_CASE("an image and its turned copy count as one sample", "[datasets][images]") {
  auto store = known_store(1);
  auto& test = store.classes[static_cast<size_t>(Split::kTest)];
  test.resize(2);
  test[1].copies_of = test[0].first;
  const auto dataset = make_image_episodes({.name = "known"}, store, {0}, {1});
  Stream stream({.seed = 1});
  const EpisodeShape shape{.ways = 2, .shots = 1, .queries = 1};
  const auto tasks = dataset->disjoint_tasks(Split::kTest, shape, 100, stream);
  REQUIRE(tasks.size() == 1);  // 4 of 5; apart, two classes of five give two tasks
  CHECK(std::set<int64_t>(tasks[0].samples.begin(), tasks[0].samples.end()).size() == 4);
}

TEST_CASE("a task's classes are of one group, each group with enough of them as often as another",
          "[datasets][images]") {
  auto store = known_store(1);
  store.groups[2] = {7, 3, 7, 3, 7};  // test classes 0, 2 and 4, and 1 and 3
  const auto dataset = make_image_episodes({.name = "known"}, store, {0}, {1});
  std::array<int, 2> seen{};
  const auto classes = [&](int64_t ways, uint64_t t) {
    Stream stream = task_stream(t);
    return dataset->drawn_classes(Split::kTest, {.ways = ways, .shots = 1, .queries = 1}, stream);
  };
  for (uint64_t t = 0; t < 600; ++t) {
    const auto two = classes(2, t), three = classes(3, t);
    CHECK((two[0] - two[1]) % 2 == 0);
    CHECK(two[0] != two[1]);
    ++seen[static_cast<size_t>(two[0] % 2)];
    CHECK(std::set<int64_t>(three.begin(), three.end()) == std::set<int64_t>{0, 2, 4});
  }
  CHECK(std::abs(seen[0] - 300) < 60);
  const EpisodeShape four{.ways = 4, .shots = 1, .queries = 1};
  CHECK_NOTHROW(dataset->check(Split::kTrain, four));  // which has no groups
  CHECK_THROWS_WITH(dataset->check(Split::kTest, four), contains("largest of the test split has 3 classes"));
  Stream any = task_stream(1);
  CHECK_THROWS_WITH(dataset->disjoint_tasks(Split::kTest, {.ways = 2, .shots = 1, .queries = 1}, 3, any),
                    contains("with replacement alone"));
  store.groups[2].pop_back();
  CHECK_THROWS_WITH(make_image_episodes({.name = "known"}, store, {0}, {1}), contains("groups of 4 classes"));
}

TEST_CASE("of common places are a task's images in all of its classes", "[datasets][images]") {
  auto store = known_store(1);
  store.classes[0].erase(store.classes[0].begin() + 2);  // the one of fewer images
  store.common_places = true;
  const auto dataset = make_image_episodes({.name = "known"}, store, {0}, {1});
  const EpisodeShape shape{.ways = 3, .shots = 2, .queries = 2};
  std::set<int64_t> places;
  for (uint64_t t = 0; t < 20; ++t) {
    const auto e = draw_tasks(*dataset, Split::kTest, shape, 1, t);
    const auto place = [&](const torch::Tensor& x, int64_t label, int64_t k) {
      const int64_t image = recognise(x[0][2 * label + k]).first;
      return image - store.of(Split::kTest)[static_cast<size_t>(class_of(store, Split::kTest, image))].first;
    };
    for (int64_t k = 0; k < 2; ++k) {
      for (int64_t label = 1; label < 3; ++label) {
        CHECK(place(e.support_x, label, k) == place(e.support_x, 0, k));
        CHECK(place(e.query_x, label, k) == place(e.query_x, 0, k));
      }
      places.insert(place(e.support_x, 0, k));
    }
    CHECK(place(e.support_x, 0, 0) != place(e.query_x, 0, 0));
  }
  CHECK(places.size() == 5);
  auto uneven = known_store(1);
  uneven.common_places = true;
  CHECK_THROWS_WITH(make_image_episodes({.name = "known"}, uneven, {0}, {1}),
                    contains("class train2 has 4 images") && contains("as many of every class"));
}
