#include "datasets/image_layout.h"

#include <set>

#include "base/error.h"
#include "datasets/image_folder.h"
#include "tests/datasets/draw.h"
#include "tests/datasets/fixtures.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

constexpr std::array<Split, 3> kSplits{Split::kTrain, Split::kValidation, Split::kTest};

std::unique_ptr<Dataset> load(const fs::path& path, ImageFolderConfig config = {}) {
  config.path = path.string();
  return make_image_folder(config);
}

std::string load_error(const fs::path& path, const ImageFolderConfig& config = {}) {
  return error_of([&] { load(path, config); });
}

using Names = std::array<std::vector<std::string>, 3>;
Names class_names(const Dataset& dataset) {
  return {dataset.class_names(Split::kTrain), dataset.class_names(Split::kValidation),
          dataset.class_names(Split::kTest)};
}

// PREFIX + CLASS + MIDDLE + I.png for ten classes a to j, five images each.
Files ten_classes(const std::string& prefix, const std::string& middle) {
  Files files;
  for (int c = 0; c < 10; ++c) {
    for (int i = 0; i < 5; ++i) {
      files.emplace_back(concat(prefix, static_cast<char>('a' + c), middle, i, ".png"),
                         grey_image(4, 4, [&](int row, int) { return c * 20 + i * 4 + row; }));
    }
  }
  return files;
}

bool same_tasks(const Dataset& a, const Dataset& b) {
  const EpisodeShape shape{.ways = 2, .shots = 1, .queries = 2};
  return std::all_of(kSplits.begin(), kSplits.end(), [&](Split split) {
    return same(draw_tasks(a, split, shape, 4), draw_tasks(b, split, shape, 4));
  });
}

}  // namespace

TEST_CASE("class folders and files named by class are split by class, wherever they lie",
          "[datasets][layout]") {
  const Alone alone;
  write_folder(alone / "folders", ten_classes("", "/"));
  write_folder(alone / "flat", ten_classes("", "_00"));
  write_zip(alone / "around.zip", ten_classes("my photos/all/", "/"));
  write_tar(alone / "flat.tgz", ten_classes("photos/", "-"), Tar::kGnu, true);
  write_zip(alone / "deep.zip", ten_classes("", "/more/of/it/"));
  const auto folders = load(alone / "folders");
  const auto names = class_names(*folders);
  CHECK(names[0].size() == 6);
  CHECK(names[1].size() == 2);
  CHECK(names[2].size() == 2);
  std::set<std::string> all;
  for (const auto& split : names) all.insert(split.begin(), split.end());
  CHECK(all.size() == 10);
  CHECK_THAT(
      folders->spec().protocol,
      contains("folders, classes by folders, split by class 0.64,0.16,0.2 with seed 1; 6 / 2 / 2 classes"));
  CHECK_THAT(load(alone / "flat")->spec().protocol, contains("classes by file names, split by class"));
  for (const auto name : {"flat", "around.zip", "flat.tgz", "deep.zip"}) {
    CAPTURE(name);
    const auto other = load(alone / name);
    CHECK(class_names(*other) == names);
    CHECK(same_tasks(*folders, *other));
  }
}

TEST_CASE("shares and seed choose the split by class", "[datasets][layout]") {
  const Alone alone;
  write_folder(alone / "x", ten_classes("", "/"));
  const auto once = class_names(*load(alone / "x"));
  CHECK(class_names(*load(alone / "x")) == once);
  const auto other = class_names(*load(alone / "x", {.split = {.seed = 2}}));
  CHECK(other != once);
  CHECK(other[0].size() == once[0].size());
  const auto halves = load(alone / "x", {.split = {.shares = {1, 0, 1}}});
  CHECK(halves->classes(Split::kTrain) == 5);
  CHECK(halves->classes(Split::kValidation) == 0);
  CHECK_THROWS_AS(load(alone / "x", {.split = {.shares = {0, 1, 1}}}), UsageError);
}

TEST_CASE("too few classes to be split are refused with what was found", "[datasets][layout]") {
  const Alone alone;
  write_folder(alone / "two", {{"cats/a.png", drawn_character(0, 0)}, {"dogs/b.png", drawn_character(1, 0)}});
  CHECK_THAT(load_error(alone / "two"), contains("it holds cats, dogs. Its 2 classes (classes by folders)") &&
                                            contains("dataset.split = 0.64,0.16,0.2"));
  write_folder(alone / "none", {{"cat.png", drawn_character(0, 0)}, {"12.png", drawn_character(1, 0)}});
  CHECK_THAT(load_error(alone / "none"), contains("Its 0 classes") || contains("Its 1 classes"));
  auto halves = small_classes(2);
  std::erase_if(halves, [](const auto& f) { return f.first.starts_with("train"); });
  halves.emplace_back("more/x.png", halves[0].second);
  write_folder(alone / "no_train", halves);
  CHECK_THAT(
      load_error(alone / "no_train"),
      contains("neither a folder train") && (contains("What is test, a class or a split without training?") ||
                                             contains("What is val, a class or a split without training?")));
}

TEST_CASE("the folders of the splits have many spellings", "[datasets][layout]") {
  const Alone alone;
  write_folder(alone / "plain", small_classes(5));
  const auto plain = load(alone / "plain");
  for (const auto& [train, validation, test] : {std::array{"Train", "VAL", "TEST"},
                                                {"training", "valid", "testing"},
                                                {"TRAIN", "Validation", "Test"}}) {
    CAPTURE(train);
    Files files;
    for (const auto& [path, bytes] : small_classes(5)) {
      const auto split = split_named(parts_of(path)[0]);
      files.emplace_back((split == Split::kTrain  ? train
                          : split == Split::kTest ? test
                                                  : validation) +
                             path.substr(path.find('/')),
                         bytes);
    }
    write_zip(alone / (std::string(train) + ".zip"), files);
    const auto other = load(alone / (std::string(train) + ".zip"));
    CHECK(class_names(*other) == class_names(*plain));
    CHECK(same_tasks(*plain, *other));
  }
}

TEST_CASE("a class may be called train, and a split may hold files named by class", "[datasets][layout]") {
  const Alone alone;
  auto files = ten_classes("", "/");
  for (auto& [path, bytes] : files) {
    if (path.starts_with("c/")) path = "train" + path.substr(1);
  }
  write_folder(alone / "vehicles", files);
  const auto names = class_names(*load(alone / "vehicles"));
  std::set<std::string> all;
  for (const auto& split : names) all.insert(split.begin(), split.end());
  CHECK(all.size() == 10);
  CHECK(all.contains("train"));

  Files flat;
  for (const auto& [path, bytes] : small_classes(5)) {
    auto name = path;
    name.replace(path.rfind("/image"), 6, ".");
    flat.emplace_back(name, bytes);
  }
  write_folder(alone / "flat", flat);
  write_folder(alone / "folders", small_classes(5));
  const auto dataset = load(alone / "flat");
  CHECK(class_names(*dataset) == class_names(*load(alone / "folders")));
  CHECK_THAT(dataset->spec().protocol, contains("split by folders, classes by file names;"));
  flat.emplace_back("train/other/x.png", flat[0].second);
  write_folder(alone / "mixed", flat);
  CHECK_THAT(load_error(alone / "mixed"), contains("lies in no class folder, expected test/CLASS/"));
}

TEST_CASE("the class in a file name stands before its last number", "[datasets][layout]") {
  const auto is = [](const std::string& name, const std::string& expected) {
    CAPTURE(name);
    CHECK(class_in_name(name).value_or("nothing") == expected);
  };
  is("cat_001.jpg", "cat");
  is("cat.0.jpg", "cat");
  is("cat (12).jpg", "cat");
  is("cat12.jpg", "cat");
  is("american_bulldog_100.jpg", "american_bulldog");
  is("n01532829_00001.JPEG", "n01532829");
  is("Äpfel-3.png", "Äpfel");
  is("cat_001_left.jpg", "cat");
  is("cat.jpg", "nothing");
  is("001.jpg", "nothing");
  is("_1.jpg", "nothing");
  is("12", "nothing");
}

TEST_CASE("a class stands in several splits only where that is asked for", "[datasets][layout]") {
  const Alone alone;
  auto files = small_classes(5);
  for (int i = 0; i < 5; ++i) {
    files.emplace_back(concat("test/train_class3/", i, ".png"),
                       grey_image(8, 8, [](int, int c) { return c; }));
  }
  write_folder(alone / "x", files);
  CHECK_THAT(load_error(alone / "x"), contains("class train_class3 stands in two splits, train and test") &&
                                          contains("dataset.shared_classes = true"));
  const auto dataset = load(alone / "x", {.shared_classes = true});
  CHECK(dataset->classes(Split::kTest) == 4);
  CHECK_THAT(dataset->spec().protocol, contains("split by folders, 1 classes stand in several splits"));
}

TEST_CASE("one class in both normal forms is one class", "[datasets][layout]") {
  const Alone alone;
  auto files = small_classes(5);
  files.emplace_back("train/A\u0308pfel/1.png", files[0].second);
  files.emplace_back("train/\u00c4pfel/2.png", files[1].second);
  write_folder(alone / "x", files);
  CHECK(load(alone / "x")->classes(Split::kTrain) == 5);
  files.emplace_back("test/\u00c4pfel/2.png", files[1].second);
  write_folder(alone / "y", files);
  CHECK_THAT(load_error(alone / "y"), contains("pfel stands in two splits"));
}

// Taking each path apart again at each depth takes minutes.
TEST_CASE("images beneath thirty thousand folders are found in time", "[datasets][layout]") {
  std::string around;
  for (int i = 0; i < 30'000; ++i) around += "a/";
  Contents contents{.source = "x.zip"};
  for (const std::string name : {"1", "2", "3", "4", "5"})
    contents.images.push_back(around + "class" + name + "/1.png");
  const auto layout = find_layout(contents, {}, false, "");
  CHECK(layout.classes[0].size() + layout.classes[1].size() + layout.classes[2].size() == 5);
}
