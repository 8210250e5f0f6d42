#include "datasets/omniglot.h"

#include <set>

#include "base/error.h"
#include "datasets/domains.h"
#include "datasets/hash.h"
#include "tests/datasets/draw.h"
#include "tests/datasets/fixtures.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

// One data folder for all tests, with 2 images of each of the 1,623 characters, and its cache.
struct Written : Alone {
  Written() { write_omniglot(folder / "data/omniglot", 2); }
  OmniglotSettings config(const std::string& splits) const {
    return {.path = (folder.path() / "data/omniglot").string(), .splits = splits};
  }
};

const Written& written() {
  static const Written data;
  return data;
}

struct Seen {
  int64_t number = -1;  // of the character
  int64_t turns = 0;    // counter-clockwise quarter turns
};

// Reads a drawing of fixtures.h back: turned until its ink stands at (0, 0) and no other corner has any.
Seen recognise(const torch::Tensor& image) {
  for (int64_t turns = 0; turns < 4; ++turns) {
    const auto upright = torch::rot90(image, -turns, {1, 2})[0];
    if (upright[0][0].item<double>() != 1) continue;
    Seen seen{0, turns};
    for (int64_t bit = 0; bit < 11; ++bit) {
      seen.number += static_cast<int64_t>(upright[13][bit].item<double>()) << bit;
    }
    return seen;
  }
  return {};
}

// All classes of a split, in the order of one task's labels: its first image of each.
std::vector<Seen> classes_of(const Dataset& dataset, Split split, uint64_t stream = 0) {
  const EpisodeShape shape{.ways = dataset.classes(split), .shots = 1, .queries = 1};
  const auto episodes = draw_tasks(dataset, split, shape, 1, stream);
  std::vector<Seen> seen;
  for (int64_t i = 0; i < shape.ways; ++i) {
    const auto support = recognise(episodes.support_x[0][i]), query = recognise(episodes.query_x[0][i]);
    REQUIRE(support.number >= 0);
    REQUIRE(support.number == query.number);
    REQUIRE(support.turns == query.turns);
    seen.push_back(support);
  }
  return seen;
}

std::set<int64_t> numbers(const std::vector<Seen>& classes) {
  std::set<int64_t> all;
  for (const auto& c : classes) all.insert(c.number);
  return all;
}

uint64_t fingerprint(const std::set<int64_t>& numbers) {
  Hash hash;
  for (const auto number : numbers) hash.add(static_cast<uint64_t>(number));
  return hash.value();
}

// Lists of the vinyals split with the right sizes, over all characters by number.
void write_lists(const fs::path& folder) {
  auto names = character_names(kBackgroundAlphabets);
  for (auto& name : character_names(kEvaluationAlphabets)) names.push_back(std::move(name));
  std::array<std::string, 3> lists;
  for (size_t i = 0; i < names.size(); ++i) {
    for (const auto rotation : {"rot000", "rot090", "rot180", "rot270"}) {
      lists[i < 1028 ? 0 : i < 1200 ? 1 : 2] += names[i] + "/" + rotation + "\n";
    }
  }
  write_folder(folder,
               {{"train.txt", text(lists[0])}, {"val.txt", text(lists[1])}, {"test.txt", text(lists[2])}});
}

}  // namespace

TEST_CASE("Omniglot's maml split gives every character to one split, always the same",
          "[datasets][omniglot]") {
  const auto dataset = make_omniglot(written().config("maml"));
  const auto train = numbers(classes_of(*dataset, Split::kTrain));
  const auto validation = numbers(classes_of(*dataset, Split::kValidation));
  const auto test = numbers(classes_of(*dataset, Split::kTest));
  CHECK(train.size() == 1100);
  CHECK(validation.size() == 100);
  CHECK(test.size() == 423);
  std::set<int64_t> all = train;
  all.insert(validation.begin(), validation.end());
  all.insert(test.begin(), test.end());
  CHECK(all.size() == 1623);
  // Recorded: another shuffle would make trained parameters see their test classes.
  CHECK(fingerprint(validation) == 0xc8411e22bf3fac27);
  CHECK(fingerprint(test) == 0x8841b18f9e356b42);
}

TEST_CASE("Omniglot's maml split turns classes in every split", "[datasets][omniglot]") {
  const auto dataset = make_omniglot(written().config("maml"));
  const auto split = GENERATE(Split::kTrain, Split::kValidation, Split::kTest);
  CAPTURE(split_name(split));
  std::array<int, 4> seen{};
  for (const auto& c : classes_of(*dataset, split)) ++seen[static_cast<size_t>(c.turns)];
  for (const int count : seen) CHECK(count > dataset->classes(split) / 10);
}

TEST_CASE("Omniglot's ink is 1 and its paper 0", "[datasets][omniglot]") {
  const auto dataset = make_omniglot(written().config("official"));
  CHECK(dataset->spec().input == std::vector<int64_t>{1, 28, 28});
  const auto episodes = draw_tasks(*dataset, Split::kTrain, {.ways = 5, .shots = 1, .queries = 1}, 1);
  const auto image = episodes.support_x[0][0][0];
  CHECK(image[0][0].item<double>() == 1);
  CHECK(image[20].sum().item<double>() == 1);  // one mark for the image's number
  CHECK(image.slice(0, 21).abs().sum().item<double>() == 0);
}

TEST_CASE("Omniglot's official split goes by alphabet and turns nothing", "[datasets][omniglot]") {
  const auto dataset = make_omniglot(written().config("official"));
  int64_t first = 0;
  for (const auto& [split, count] :
       {std::pair{Split::kTrain, 813}, {Split::kValidation, 151}, {Split::kTest, 659}}) {
    CAPTURE(split_name(split));
    CHECK(dataset->classes(split) == count);
    const auto classes = classes_of(*dataset, split);
    const auto all = numbers(classes);
    CHECK(static_cast<int64_t>(all.size()) == count);
    CHECK(*all.begin() == first);
    CHECK(*all.rbegin() == first + count - 1);
    for (const auto& c : classes) CHECK(c.turns == 0);
    first += count;
  }
}

TEST_CASE("Omniglot's vinyals split follows its lists, each rotation a class", "[datasets][omniglot]") {
  const Folder data;
  write_omniglot(data.path(), 2);
  write_lists(data / "splits_vinyals");
  const Variable cache("INNERLOOP_CACHE", (data / "cache").string());
  const auto dataset = make_omniglot({.path = data.path().string(), .splits = "vinyals"});
  int64_t first = 0;
  for (const auto& [split, count] :
       {std::pair{Split::kTrain, 1028}, {Split::kValidation, 172}, {Split::kTest, 423}}) {
    CAPTURE(split_name(split));
    CHECK(dataset->classes(split) == 4 * count);
    std::set<std::pair<int64_t, int64_t>> classes;
    for (const auto& c : classes_of(*dataset, split)) classes.emplace(c.number, c.turns);
    CHECK(static_cast<int64_t>(classes.size()) == 4 * count);  // each turn of each character once
    CHECK(classes.begin()->first == first);
    CHECK(classes.rbegin()->first == first + count - 1);
    first += count;
  }
  // Two drawings of each character; its four turns are copies of them, so that none serves two tasks.
  Stream stream({.seed = 1});
  const auto tasks =
      dataset->disjoint_tasks(Split::kValidation, {.ways = 2, .shots = 1, .queries = 1}, 1000, stream);
  CHECK(tasks.size() == 86);

  const auto error_with = [&](const std::string& list, const std::string& content) {
    write_bytes(data / ("splits_vinyals/" + list), text(content));
    const auto error = error_of([&] { make_omniglot({.path = data.path().string(), .splits = "vinyals"}); });
    write_lists(data / "splits_vinyals");
    return error;
  };
  CHECK_THAT(error_with("val.txt", "Greek/character01/rot000\nGreek/character02\n"),
             contains("val.txt, line 2: 'Greek/character02', expected ALPHABET/characterNN/rotRRR"));
  CHECK_THAT(error_with("val.txt", "Klingon/character01/rot000\n"),
             contains("val.txt names Klingon/character01, which is not in the archives"));
  CHECK_THAT(error_with("val.txt", "Greek/character01/rot090\n"),
             contains("val.txt names Greek/character01, which the train list names too"));
  CHECK_THAT(error_with("train.txt", "Greek/character01/rot090\nGreek/character01/rot090\n"),
             contains("train.txt names Greek/character01/rot090 twice"));
}

TEST_CASE("a missing list of the vinyals split says where to get it", "[datasets][omniglot]") {
  CHECK_THAT(error_of([] { make_omniglot(written().config("vinyals")); }),
             contains("cannot read") && contains("train.txt") &&
                 contains("github.com/jakesnell/prototypical-networks") && contains("splits_vinyals"));
}

TEST_CASE("Omniglot reads the same from folders as from archives", "[datasets][omniglot]") {
  const Folder data;
  write_folder(data.path(), omniglot_half(true, 2));
  write_folder(data.path(), omniglot_half(false, 2));
  const auto archives = make_omniglot(written().config("maml"));
  const Variable cache("INNERLOOP_CACHE", (data / "cache").string());
  const auto folders = make_omniglot({.path = data.path().string()});
  const EpisodeShape shape{.ways = 20, .shots = 1, .queries = 1};
  CHECK(same(draw_tasks(*archives, Split::kTest, shape, 3), draw_tasks(*folders, Split::kTest, shape, 3)));
}

TEST_CASE("Omniglot is found under INNERLOOP_DATA, and in any size", "[datasets][omniglot]") {
  written();
  const Variable data("INNERLOOP_DATA", (written().folder / "data").string());
  CHECK(make_omniglot({})->spec().input == std::vector<int64_t>{1, 28, 28});
  CHECK(make_omniglot({.path = "omniglot", .image_size = 14})->spec().input ==
        std::vector<int64_t>{1, 14, 14});
}

TEST_CASE("Omniglot's protocol tells split, sizes and pixels", "[datasets][omniglot]") {
  auto config = written().config("maml");
  config.mean = {0.1};
  CHECK_THAT(make_omniglot(config)->spec().protocol,
             contains("maml split") && contains("1100 / 100 / 423 classes") && contains("3246 images") &&
                 contains("28 x 28") && contains("ink = 1") && contains("Lanczos") && contains("mean 0.1"));
}

TEST_CASE("missing Omniglot files say where to get them and what names them", "[datasets][omniglot]") {
  const Alone alone;
  const auto check_taught = [](const OmniglotSettings& config, const std::string& found) {
    CHECK_THAT(error_of([&] { make_omniglot(config); }), contains("github.com/brendenlake/omniglot") &&
                                                             contains("dataset.path") &&
                                                             contains("INNERLOOP_DATA") && contains(found));
  };
  check_taught({}, "INNERLOOP_DATA is not set");
  check_taught({.path = "no/such/folder"}, "no such file or folder: no/such/folder");
  const Variable data("INNERLOOP_DATA", alone.folder.path().string());
  check_taught({}, (alone / "omniglot").string());
  fs::create_directories(alone / "omniglot");
  CHECK_THAT(error_of([] { make_omniglot({}); }),
             contains("github.com/brendenlake/omniglot") &&
                 contains("holds neither images_background.zip nor a folder images_background"));
}

TEST_CASE("an Omniglot with characters missing, or other files in it, is refused", "[datasets][omniglot]") {
  const Alone alone;
  auto half = omniglot_half(true, 1);
  const auto without_last = Files(half.begin(), half.end() - 1);
  write_zip(alone / "images_background.zip", without_last);
  const OmniglotSettings config{.path = alone.folder.path().string()};
  CHECK_THAT(error_of([&] { make_omniglot(config); }),
             contains("images_background.zip holds 963 characters, expected 964"));
  half.emplace_back("cat.png", drawn_character(1, 1));
  write_zip(alone / "images_background.zip", half);
  CHECK_THAT(error_of([&] { make_omniglot(config); }),
             contains("images_background.zip: cat.png does not lie in a folder ALPHABET/characterNN"));
}

TEST_CASE("a damaged Omniglot image is named and nothing is cached", "[datasets][omniglot]") {
  const Alone alone;
  auto half = omniglot_half(true, 1);
  half[700].second.resize(60);
  half.emplace_back("images_background/readme.txt", text("ignored"));
  write_zip(alone / "images_background.zip", half);
  write_zip(alone / "images_evaluation.zip", omniglot_half(false, 1));
  const OmniglotSettings config{.path = alone.folder.path().string()};
  CHECK_THAT(error_of([&] { make_omniglot(config); }),
             contains("images_background.zip: " + half[700].first + " is damaged"));
  CHECK(alone.cached().empty());
  half[700].second = drawn_character(700, 0);
  write_zip(alone / "images_background.zip", half);
  const auto dataset = make_omniglot(config);
  CHECK_THAT(dataset->spec().protocol, EndsWith("; 1 other files ignored: images_background/readme.txt"));
  CHECK_THAT(error_of([&] { dataset->check(Split::kTrain, {.ways = 5, .shots = 1, .queries = 1}); }),
             contains("has 1 images, a task of 1 shots and 1 queries needs 2"));
}

TEST_CASE("unknown Omniglot splits are refused with the known ones", "[datasets][omniglot]") {
  CHECK_THROWS_AS(make_omniglot(written().config("mamml")), UsageError);
  CHECK_THAT(error_of([] { make_omniglot(written().config("mamml")); }),
             contains("dataset.splits") && contains("'mamml'"));
}

TEST_CASE("Omniglot's tasks within an alphabet are of one, and of common drawers of one drawer each",
          "[datasets][omniglot]") {
  auto settings = written().config("official");
  settings.within_alphabet = settings.common_drawers = true;
  const auto dataset = make_omniglot(settings);
  CHECK_THAT(dataset->spec().protocol, contains("; tasks within one alphabet; tasks of common drawers"));
  std::set<std::string> alphabets;
  for (uint64_t t = 0; t < 30; ++t) {
    const EpisodeShape shape{.ways = 16, .shots = 1, .queries = 1};
    Stream stream = task_stream(t);
    std::set<std::string> of_task;
    for (const auto c : dataset->drawn_classes(Split::kValidation, shape, stream)) {
      const auto name = dataset->class_names(Split::kValidation)[static_cast<size_t>(c)];
      of_task.insert(name.substr(0, name.find('/')));
    }
    CHECK(of_task.size() == 1);
    alphabets.insert(*of_task.begin());
    const auto e = draw_tasks(*dataset, Split::kValidation, shape, 1, t);
    for (const auto& x : {e.support_x[0], e.query_x[0]}) {  // row 20 marks the number of the image
      for (int64_t i = 1; i < 16; ++i) CHECK(x[i][0][20].equal(x[0][0][20]));
    }
    CHECK_FALSE(e.support_x[0][0][0][20].equal(e.query_x[0][0][0][20]));
  }
  // Ojibwe has 14 characters, too few.
  CHECK(alphabets == std::set<std::string>{"Sanskrit", "Syriac", "Tagalog", "Tifinagh"});
}

TEST_CASE("Omniglot's koch split needs the drawings of twenty people", "[datasets][omniglot]") {
  CHECK_THROWS_WITH(make_omniglot(written().config("koch")),
                    contains("has 2 images, splits = koch expects 20"));
}

TEST_CASE("the real Omniglot has 1,623 characters of 20 drawings", "[datasets][omniglot]") {
  const char* data = getenv("INNERLOOP_DATA");
  if (data == nullptr || !fs::exists(fs::path(data) / "omniglot/images_background.zip")) {
    SUCCEED("INNERLOOP_DATA does not hold Omniglot");
    return;
  }
  const std::vector<std::pair<std::string, std::array<int64_t, 3>>> expected{
      {"maml", {1100, 100, 423}}, {"official", {813, 151, 659}}, {"vinyals", {4112, 688, 1692}}};
  for (const auto& [splits, classes] : expected) {
    if (splits == "vinyals" && !fs::exists(fs::path(data) / "omniglot/splits_vinyals")) continue;
    CAPTURE(splits);
    const auto dataset = make_omniglot({.splits = splits});
    CHECK_THAT(dataset->spec().protocol, contains("32460 images"));
    for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
      CHECK(dataset->classes(split) == classes[static_cast<size_t>(split)]);
      dataset->check(split, {.ways = 20, .shots = 10, .queries = 10});  // every class has 20
    }
    const auto episodes = draw_tasks(*dataset, Split::kTrain, {.ways = 20, .shots = 10, .queries = 10}, 5);
    const double ink = episodes.support_x.mean().item<double>();
    CHECK(ink > 0.05);  // inverted: paper, most of an image, is 0
    CHECK(ink < 0.15);
  }
}

TEST_CASE("omniglot by alphabets has each alphabet as a domain, other splits have none", "[datasets]") {
  const auto dataset = make_omniglot(written().config("official"));
  const Domains* domains = domains_of(*dataset);
  REQUIRE(domains != nullptr);
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const auto classes = dataset->class_names(split);
    std::set<std::string> alphabets, named;
    for (const auto& name : classes) alphabets.insert(name.substr(0, name.find('/')));
    int64_t of_domains = 0;
    for (const auto& domain : domains->domains(split)) {
      named.insert(domain.name);
      of_domains += domain.count;
    }
    CHECK(named == alphabets);
    CHECK(domains->domains(split).size() == alphabets.size());
    CHECK(of_domains == dataset->classes(split));
  }
  CHECK(domains_of(*make_omniglot(written().config("maml"))) == nullptr);
}

TEST_CASE("the real Omniglot's koch split is 30, 10 and 10 alphabets by 12, 4 and 4 people",
          "[datasets][omniglot]") {
  const char* data = getenv("INNERLOOP_DATA");
  if (data == nullptr || !fs::exists(fs::path(data) / "omniglot/images_background.zip")) {
    SUCCEED("INNERLOOP_DATA does not hold Omniglot");
    return;
  }
  const auto dataset = make_omniglot({.splits = "koch", .within_alphabet = true, .common_drawers = true});
  const std::array<int64_t, 3> classes{964, 307, 352};
  const std::array<size_t, 3> alphabets{30, 10, 10};
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const auto s = static_cast<size_t>(split);
    CHECK(dataset->classes(split) == classes[s]);
    std::set<std::string> found;
    for (const auto& name : dataset->class_names(split)) found.insert(name.substr(0, name.find('/')));
    CHECK(found.size() == alphabets[s]);
    CHECK_NOTHROW(dataset->check(split, {.ways = 20, .shots = 2, .queries = 2}));
    CHECK_NOTHROW(dataset->check(split, {.ways = 20, .shots = 1, .queries = s == 0 ? 11 : 3}));
    CHECK_THROWS_AS(dataset->check(split, {.ways = 20, .shots = 1, .queries = s == 0 ? 12 : 4}), UsageError);
  }
}
