// What every registered data set promises; a new one is tested by being in the table.
#include <set>
#include <thread>

#include "base/error.h"
#include "tests/datasets/draw.h"
#include "tests/datasets/fixtures.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

bool reads_files(const std::string& name) {
  return name == "omniglot" || name == "image_folder" || name == "face_folder";
}

// Five classes of eight images in each split; every image is another one.
void write_image_folder(const fs::path& folder) {
  Files files;
  for (const std::string split : {"train", "val", "test"}) {
    for (int c = 0; c < 5; ++c) {
      for (int i = 0; i < 8; ++i) {
        const int number = 1 + i + 10 * c + (split == "train" ? 0 : split == "val" ? 50 : 100);
        const auto value = [&](int row, int column) { return row == 0 && (number >> column & 1) ? 255 : 0; };
        files.emplace_back(concat(split, "/", split, c, "/", i, ".png"), grey_image(8, 8, value));
      }
    }
  }
  write_folder(folder, files);
}

// Two domains in each split, of three identities with eight images; every image is another one.
void write_face_folder(const fs::path& folder) {
  Files files;
  for (int d = 0; d < 6; ++d) {
    for (int identity = 0; identity < 3; ++identity) {
      for (int i = 0; i < 8; ++i) {
        const int number = 1 + i + 8 * identity + 24 * d;
        const auto value = [&](int row, int column) { return row == 0 && (number >> column & 1) ? 255 : 0; };
        files.emplace_back(concat("domain", d, "/person", identity, "/", i, ".png"), grey_image(8, 8, value));
      }
    }
  }
  write_folder(folder, files);
}

// Made once, those that read files from small ones.
const Dataset& known(const std::string& name) {
  static std::map<std::string, std::unique_ptr<Dataset>> made;
  auto& dataset = made[name];
  if (dataset) return *dataset;
  const Alone alone;
  DatasetConfig config{.name = name};
  if (name == "omniglot") write_omniglot((alone / name).string(), 7);
  if (name == "image_folder") write_image_folder((alone / name).string());
  if (name == "face_folder") {
    write_face_folder((alone / name).string());
    config.own.set("validation_domains", "domain2,domain3");
    config.own.set("test_domains", "domain4,domain5");
  }
  if (reads_files(name)) config.own.set("path", (alone / name).string());
  dataset = make_dataset(config);
  return *dataset;
}

std::vector<std::string> names() {
  std::vector<std::string> known_names;
  for (const auto& row : datasets()) known_names.push_back(row.name);
  return known_names;
}

EpisodeShape small_shape(const Dataset& dataset) {
  return {.ways = dataset.spec().classification ? 3 : 1, .shots = 2, .queries = 4};
}

}  // namespace

TEST_CASE("every data set declares what it is", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& spec = known(name).spec();
  CHECK(spec.name == name);
  CHECK_FALSE(spec.description.empty());
  CHECK(spec.description.find('\n') == std::string::npos);
  CHECK_FALSE(spec.protocol.empty());
  CHECK(spec.input.size() == (spec.classification ? 3 : 1));
  CHECK(holds_images(name) == (spec.input.size() == 3));
  bool listed = false;
  for (const auto& row : datasets()) listed |= row.name == name && row.description == spec.description;
  CHECK(listed);
}

TEST_CASE("every data set draws episodes of the shape, type and labels asked for", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  const auto split = GENERATE(Split::kTrain, Split::kValidation, Split::kTest);
  const auto dtype = GENERATE(torch::kFloat32, torch::kFloat64);
  CAPTURE(name, split_name(split));
  const auto& dataset = known(name);
  const auto& spec = dataset.spec();
  const auto shape = small_shape(dataset);
  auto episodes = make_episodes(spec, shape, 4, dtype);
  for (auto* x : {&episodes.support_x, &episodes.query_x}) x->fill_(NAN);
  for (int64_t t = 0; t < 4; ++t) {
    Stream stream = task_stream(static_cast<uint64_t>(t));
    dataset.draw(split, shape, stream, episodes, t);
  }
  const auto expect = [&](const torch::Tensor& x, const torch::Tensor& y, int64_t per_class) {
    std::vector<int64_t> sizes{4, shape.ways * per_class};
    auto target_sizes = sizes;
    sizes.insert(sizes.end(), spec.input.begin(), spec.input.end());
    CHECK(x.sizes() == sizes);
    CHECK(x.scalar_type() == dtype);
    CHECK(x.isfinite().all().item<bool>());
    if (spec.classification) {
      CHECK(x.min().item<double>() == 0);
      CHECK(x.max().item<double>() > 0.9);
      CHECK(x.max().item<double>() <= 1);
      CHECK(y.equal(torch::arange(shape.ways).repeat_interleave(per_class).expand({4, -1})));
    } else {
      target_sizes.push_back(spec.outputs);
      CHECK(y.sizes() == target_sizes);
      CHECK(y.scalar_type() == dtype);
      CHECK(y.isfinite().all().item<bool>());
    }
  };
  expect(episodes.support_x, episodes.support_y, shape.shots);
  expect(episodes.query_x, episodes.query_y, shape.queries);
}

TEST_CASE("every data set draws the same task from the same stream, and another from another",
          "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  const auto shape = small_shape(dataset);
  const auto once = draw_tasks(dataset, Split::kTrain, shape, 16);
  CHECK(same(once, draw_tasks(dataset, Split::kTrain, shape, 16)));
  for (int64_t t = 1; t < 16; ++t) REQUIRE_FALSE(once.support_x[t].equal(once.support_x[t - 1]));

  auto together = make_episodes(dataset.spec(), shape, 16);
  std::vector<std::thread> threads;
  for (int64_t worker = 0; worker < 4; ++worker) {
    threads.emplace_back([&, worker] {
      for (int64_t t = 15 - worker; t >= 0; t -= 4) {
        Stream stream = task_stream(static_cast<uint64_t>(t));
        dataset.draw(Split::kTrain, shape, stream, together, t);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(same(once, together));
}

TEST_CASE("every data set draws a task of its stream whatever the type of its numbers",
          "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  const auto shape = small_shape(dataset);
  const auto single = draw_tasks(dataset, Split::kTest, shape, 2);
  const auto precise = draw_tasks(dataset, Split::kTest, shape, 2, 0, torch::kFloat64);
  CHECK(torch::allclose(single.query_x.to(torch::kFloat64), precise.query_x, 1e-6, 1e-6));
  CHECK(torch::allclose(single.support_y.to(torch::kFloat64), precise.support_y.to(torch::kFloat64), 1e-5,
                        1e-5));
}

TEST_CASE("no data set shows a sample twice in an episode", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  const auto shape = small_shape(dataset);
  for (uint64_t number = 0; number < 20; ++number) {
    const auto episodes = draw_tasks(dataset, Split::kTest, shape, 1, number);
    const auto x = torch::cat({episodes.support_x[0], episodes.query_x[0]}).flatten(1);
    for (int64_t i = 0; i < x.size(0); ++i) {
      for (int64_t j = 0; j < i; ++j) REQUIRE_FALSE(x[i].equal(x[j]));
    }
  }
}

TEST_CASE("every data set of stored images gives tasks of which no two show the same sample",
          "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  const EpisodeShape shape{.ways = dataset.spec().classification ? 2 : 1, .shots = 2, .queries = 3};
  const StreamKey key{.seed = 7};
  Stream stream(key);
  std::vector<TaskSamples> tasks;
  try {
    tasks = dataset.disjoint_tasks(Split::kTest, shape, 5, stream);
  } catch (const UsageError& error) {
    CHECK_THAT(error.what(), contains("'" + name + "' makes its samples as tasks ask for them"));
    CHECK((name == "rainbow_strokes" || !dataset.spec().classification));
    return;
  }
  REQUIRE(!tasks.empty());
  Stream again(key);
  const auto fewer = dataset.disjoint_tasks(Split::kTest, shape, 2, again);
  std::vector<torch::Tensor> shown;
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (i < fewer.size()) {  // the first ones are the same, however many are asked for
      CHECK(fewer[i].classes == tasks[i].classes);
      CHECK(fewer[i].turns == tasks[i].turns);
      CHECK(fewer[i].samples == tasks[i].samples);
    }
    auto episodes = make_episodes(dataset.spec(), shape, 1);
    dataset.draw_samples(Split::kTest, shape, tasks[i], episodes, 0);
    CHECK(episodes.query_y[0][0].item<int64_t>() == 0);
    CHECK(episodes.query_y[0][-1].item<int64_t>() == 1);
    for (const auto& x : {episodes.support_x[0], episodes.query_x[0]}) {
      for (int64_t sample = 0; sample < x.size(0); ++sample) {
        for (const auto& other : shown) REQUIRE_FALSE(other.equal(x[sample]));
        shown.push_back(x[sample]);
      }
    }
  }
  auto too_many = make_episodes(dataset.spec(), {.ways = 3, .shots = 2, .queries = 3}, 1);
  CHECK_THROWS_WITH(
      dataset.draw_samples(Split::kTest, {.ways = 3, .shots = 2, .queries = 3}, tasks[0], too_many, 0),
      contains("a task of 2 classes and 10 samples is not of the shape asked for"));
}

TEST_CASE("no data set shows an image in two splits", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  if (!dataset.spec().classification) return;  // one distribution for all splits
  std::set<std::vector<float>> all;
  size_t seen = 0;
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const EpisodeShape shape{
        .ways = std::min<int64_t>(dataset.classes(split), 100), .shots = 1, .queries = 6};
    REQUIRE(shape.ways >= 3);
    const auto x = draw_tasks(dataset, split, shape, 5).query_x.flatten(0, 1).flatten(1).contiguous();
    std::set<std::vector<float>> images;
    for (int64_t i = 0; i < x.size(0); ++i) {
      const float* pixels = x[i].data_ptr<float>();
      images.emplace(pixels, pixels + x.size(1));
    }
    seen += images.size();
    all.merge(images);
  }
  CHECK(all.size() == seen);
}

TEST_CASE("every data set with classes shows each of them by its label", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  Stream stream = task_stream(0);
  if (!dataset.spec().classification) {
    CHECK(dataset.classes(Split::kTrain) == 0);
    CHECK_THROWS_WITH(dataset.draw_labelled(Split::kTrain, 1, stream), contains(name));
    return;
  }
  const int64_t classes = dataset.classes(Split::kTrain);
  const auto labelled = dataset.draw_labelled(Split::kTrain, 500, stream);
  std::vector<int64_t> sizes{1, 500};
  sizes.insert(sizes.end(), dataset.spec().input.begin(), dataset.spec().input.end());
  CHECK(labelled.x.sizes() == sizes);
  CHECK(labelled.y.sizes() == std::vector<int64_t>{1, 500});
  CHECK(labelled.y.min().item<int64_t>() >= 0);
  CHECK(labelled.y.max().item<int64_t>() < classes);
  CHECK(labelled.y.max().item<int64_t>() >= classes - 1 - classes / 50);
  Stream again = task_stream(0);
  CHECK(dataset.draw_labelled(Split::kTrain, 500, again).x.equal(labelled.x));
}

TEST_CASE("every data set with classes names each of them once", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  const auto split = GENERATE(Split::kTrain, Split::kValidation, Split::kTest);
  CAPTURE(name, split_name(split));
  const auto class_names = known(name).class_names(split);
  CHECK(static_cast<int64_t>(class_names.size()) == known(name).classes(split));
  CHECK(std::set<std::string>(class_names.begin(), class_names.end()).size() == class_names.size());
  for (const auto& class_name : class_names) REQUIRE_FALSE(class_name.empty());
}

TEST_CASE("every data set with classes tells which a task has, from the task's stream alone",
          "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  const auto shape = small_shape(dataset);
  std::set<int64_t> seen;
  for (uint64_t number = 0; number < 20; ++number) {
    Stream stream = task_stream(number), again = task_stream(number);
    const auto classes = dataset.drawn_classes(Split::kTest, shape, stream);
    CHECK(classes.size() == (dataset.spec().classification ? 3 : 0));
    CHECK(std::set<int64_t>(classes.begin(), classes.end()).size() == classes.size());
    CHECK(dataset.drawn_classes(Split::kTest, shape, again) == classes);
    for (const int64_t c : classes) REQUIRE((c >= 0 && c < dataset.classes(Split::kTest)));
    seen.insert(classes.begin(), classes.end());
  }
  CHECK((seen.size() >= 5 || !dataset.spec().classification));
}

TEST_CASE("every data set that reads files has a digest of them", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto digest = known(name).digest();
  CHECK(digest.size() == (reads_files(name) ? 16 : 0));
  CHECK(digest.find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("every data set refuses shapes that are no task", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  const auto refused = [&](EpisodeShape shape, const std::string& word) {
    CHECK_THROWS_AS(dataset.check(Split::kTrain, shape), UsageError);
    CHECK_THROWS_WITH(dataset.check(Split::kTrain, shape), contains(name) && contains(word));
    CHECK_THROWS_AS(make_episodes(dataset.spec(), shape, 1), UsageError);
  };
  const auto good = small_shape(dataset);
  CHECK_NOTHROW(dataset.check(Split::kTrain, good));
  refused({.ways = good.ways, .shots = 0, .queries = 1}, "shots is 0");
  refused({.ways = good.ways, .shots = 1, .queries = -1}, "queries is -1");
  refused({.ways = 0, .shots = 1, .queries = 1}, "ways is 0");
  refused({.ways = dataset.spec().classification ? 1 : 2, .shots = 1, .queries = 1}, "ways is");
  if (dataset.spec().classification) {
    CHECK_THROWS_WITH(dataset.check(Split::kTest, {.ways = 1000000, .shots = 1, .queries = 1}),
                      contains("the test split has"));
    CHECK_THROWS_WITH(dataset.check(Split::kTest, {.ways = 2, .shots = 1, .queries = 1000000}),
                      contains("needs 1000001 of every class"));
  }
}

TEST_CASE("every data set refuses tensors made for another task", "[datasets][contract]") {
  const auto name = GENERATE(from_range(names()));
  CAPTURE(name);
  const auto& dataset = known(name);
  const auto shape = small_shape(dataset);
  auto larger = shape;
  ++larger.queries;
  auto episodes = make_episodes(dataset.spec(), shape, 2);
  Stream stream = task_stream(0);
  CHECK_THROWS_WITH(dataset.draw(Split::kTrain, larger, stream, episodes, 0), contains("another shape"));
  CHECK_THROWS_WITH(dataset.draw(Split::kTrain, shape, stream, episodes, 2), contains("no task 2"));
  CHECK_THROWS_AS(dataset.draw(Split::kTrain, shape, stream, episodes, -1), Error);
  CHECK_THROWS_WITH(make_episodes(dataset.spec(), shape, 1, torch::kHalf), contains("float32 or float64"));
}

TEST_CASE("data set names are unique", "[datasets]") {
  std::set<std::string> unique;
  for (const auto& row : datasets()) unique.insert(row.name);
  CHECK(unique.size() == datasets().size());
}

TEST_CASE("an unknown data set is refused with the names that exist", "[datasets]") {
  CHECK_THROWS_AS(make_dataset({.name = "sin"}), UsageError);
  CHECK_THROWS_WITH(make_dataset({.name = "sin"}), contains("'sin'") && contains("did you mean 'sine'?"));
}

TEST_CASE("settings that a data set does not know are refused by their keys", "[datasets]") {
  const auto refused = [](const DatasetConfig& config, const std::string& key) {
    CHECK_THROWS_AS(make_dataset(config), UsageError);
    CHECK_THROWS_WITH(make_dataset(config), contains("dataset." + key) && contains(config.name));
  };
  refused({.name = "sine", .own = {{"path", "somewhere"}}}, "path");
  refused({.name = "sine", .own = {{"splits", "vinyals"}}}, "splits");
  refused({.name = "sine", .own = {{"image_size", 28}}}, "image_size");
  refused({.name = "sine", .own = {{"mean", "0.5"}}}, "mean");
  refused({.name = "sine", .own = {{"std", "0.5"}}}, "std");
  refused({.name = "strokes", .own = {{"path", "somewhere"}}}, "path");
  refused({.name = "strokes", .own = {{"splits", "official"}}}, "splits");
  refused({.name = "rainbow_strokes", .own = {{"path", "somewhere"}}}, "path");
  refused({.name = "styled_strokes", .own = {{"splits", "official"}}}, "splits");
  refused({.name = "omniglot", .own = {{"observe_task", true}}}, "observe_task");
  refused({.name = "image_folder", .own = {{"path", "somewhere"}, {"splits", "vinyals"}}}, "splits");
  refused({.name = "face_folder", .own = {{"path", "somewhere"}, {"shared_classes", true}}},
          "shared_classes");
  refused({.name = "strokes", .own = {{"observe_task", true}}}, "observe_task");
}

TEST_CASE("splits have names", "[datasets]") {
  CHECK(split_name(Split::kTrain) == "train");
  CHECK(split_name(Split::kValidation) == "validation");
  CHECK(split_name(Split::kTest) == "test");
}
