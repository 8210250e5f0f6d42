// Folders as people have them: links, pipes, damaged files, names in any encoding; and what of them is a
// property of the data.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "datasets/image_folder.h"
#include "datasets/omniglot.h"
#include "tests/datasets/draw.h"
#include "tests/datasets/fixtures.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

constexpr EpisodeShape kShape{.ways = 3, .shots = 2, .queries = 2};

std::unique_ptr<Dataset> load(const fs::path& path, ImageFolderConfig config = {}) {
  config.path = path.string();
  return make_image_folder(config);
}

std::string load_error(const fs::path& path, const ImageFolderConfig& config = {}) {
  return error_of([&] { load(path, config); });
}

Bytes& file(Files& files, const std::string& path) {
  for (auto& [name, bytes] : files) {
    if (name == path) return bytes;
  }
  throw Error("no " + path);
}

}  // namespace

TEST_CASE("damaged images are an error, or left out and named", "[datasets][folder]") {
  const Alone alone;
  auto files = small_classes(5);
  file(files, "train/train_class0/image0.png") = text("not an image");
  file(files, "train/train_class0/image3.png").resize(40);
  file(files, "test/test_class2/image4.png") = {};
  write_folder(alone / "folder", files);
  write_zip(alone / "x.zip", files);
  REQUIRE(mkfifo((alone / "folder/val/val_class1/pipe.png").c_str(), 0600) == 0);
  fs::create_symlink("nowhere", alone / "folder/val/val_class1/q.png");
  for (const auto name : {"folder", "x.zip"}) {
    CAPTURE(name);
    CHECK_THAT(load_error(alone / name), contains("is not an image") || contains("it is a named pipe"));
  }
  const auto check = [](const Dataset& dataset, const std::string& damaged) {
    CHECK_THAT(dataset.spec().protocol,
               contains("4 / 3 / 3 classes with 18 / 15 / 14 images") && contains(damaged));
    dataset.check(Split::kTrain, {.ways = 4, .shots = 1, .queries = 2});
    CHECK_THAT(error_of([&] { dataset.check(Split::kTrain, kShape); }),
               contains("class train_class0 of the train split has 3 images"));
  };
  for (int cached = 0; cached < 2; ++cached) {  // made, and from the cache
    CAPTURE(cached);
    check(*load(alone / "x.zip", {.skip_damaged = true}),
          "; 3 damaged images left out: train/train_class0/image0.png, train/train_class0/image3.png, "
          "test/test_class2/image4.png");
    check(*load(alone / "folder", {.skip_damaged = true}), "; 5 damaged images left out: ");
  }
  // The images that are left are those of the same data without the damaged ones.
  std::erase_if(files, [](const auto& f) {
    return f.first == "train/train_class0/image0.png" || f.first == "train/train_class0/image3.png" ||
           f.first == "test/test_class2/image4.png";
  });
  write_folder(alone / "whole", files);
  const auto left = load(alone / "x.zip", {.skip_damaged = true}), whole = load(alone / "whole");
  const EpisodeShape small{.ways = 3, .shots = 1, .queries = 2};
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    CHECK(same(draw_tasks(*left, split, small, 8), draw_tasks(*whole, split, small, 8)));
  }
}

TEST_CASE("data of nothing but damaged images are refused all the same", "[datasets][folder]") {
  const Alone alone;
  auto files = small_classes(5);
  for (auto& [path, bytes] : files) bytes = text("x");
  write_folder(alone / "x", files);
  CHECK_THAT(load_error(alone / "x", {.skip_damaged = true}),
             contains("none of the 50 images can be read") && contains("is not an image"));
  CHECK(alone.cached().empty());
}

TEST_CASE("the first batch may be all damaged", "[datasets][folder]") {
  const Alone alone;
  Files files;
  for (int i = 0; i < 600; ++i) files.emplace_back(concat("train/a/", 1000 + i, ".png"), text("x"));
  for (int i = 0; i < 3; ++i) files.emplace_back(concat("train/b/", i, ".png"), drawn_character(i, 0));
  write_folder(alone / "x", files);
  const auto dataset = load(alone / "x", {.skip_damaged = true});
  CHECK(dataset->spec().input == std::vector<int64_t>{1, 28, 28});
  CHECK_THAT(dataset->spec().protocol,
             contains("600 damaged images left out: train/a/1000.png, ") && contains(" and 580 more"));
}

TEST_CASE("a link back into the folders adds no image and is named", "[datasets][folder]") {
  const Alone alone;
  write_folder(alone / "x", small_classes(5));
  write_folder(alone / "linked", small_classes(5));
  fs::create_directory_symlink("..", alone / "linked/train/train_class0/up");
  fs::create_directory_symlink("../..", alone / "linked/test/test_class1/up");
  const auto dataset = load(alone / "linked"), expected = load(alone / "x");
  CHECK_THAT(dataset->spec().protocol,
             contains("20 / 15 / 15 images") &&
                 EndsWith("; 2 links not followed: test/test_class1/up (a link to a folder around it), "
                          "train/train_class0/up (a link to a folder around it)"));
  CHECK(same(draw_tasks(*dataset, Split::kTest, kShape, 4), draw_tasks(*expected, Split::kTest, kShape, 4)));
  CHECK(dataset->digest() == expected->digest());
}

TEST_CASE("one file in two classes by a link is refused", "[datasets][folder]") {
  const Alone alone;
  write_folder(alone / "x", small_classes(5));
  fs::create_directory_symlink("../../test/test_class1", alone / "x/train/train_class0/more");
  CHECK_THAT(load_error(alone / "x"), contains("train/train_class0/more/image0.png and ") &&
                                          contains("test/test_class1/image0.png are one file (by links)"));
  fs::remove(alone / "x/train/train_class0/more");
  fs::create_symlink("image0.png", alone / "x/train/train_class0/copy.png");
  CHECK_THAT(load_error(alone / "x"), contains("are one file (by links)"));
}

TEST_CASE("class folders may be links to folders elsewhere", "[datasets][folder]") {
  const Alone alone;
  write_folder(alone / "x", small_classes(5));
  for (const auto& entry : fs::recursive_directory_iterator(alone / "x")) {
    if (entry.is_directory() && entry.path().filename().string().find("class") != std::string::npos) {
      const auto link = alone / "links" / fs::relative(entry.path(), alone / "x").string();
      fs::create_directories(link.parent_path());
      fs::create_directory_symlink(entry.path(), link);
    }
  }
  CHECK(same(draw_tasks(*load(alone / "links"), Split::kTest, kShape, 4),
             draw_tasks(*load(alone / "x"), Split::kTest, kShape, 4)));
}

TEST_CASE("no name of a file, a class or a folder breaks a writer", "[datasets][folder]") {
  const Alone alone;
  auto files = small_classes(5);
  for (const std::string name : {"\xc4pfel", "汉字", "🍎", "line\nbreak", "\x1b[31mred"}) {
    for (int i = 0; i < 5; ++i) {
      files.emplace_back(concat("test/", name, "/", i, "\xff.png"),
                         grey_image(8, 8, [&](int r, int) { return r + i; }));
    }
  }
  files.emplace_back("test/\xc4pfel/broken\xe4.png", text("x"));
  files.emplace_back("\xff/elsewhere.png", files[0].second);
  files.emplace_back("notes\xff.txt", text("x"));
  write_folder(alone / "fo\xfflder", files);
  write_tar(alone / "x\xff.tar", files);
  for (const std::string name : {"fo\xfflder", "x\xff.tar"}) {
    const auto dataset = load(alone / name, {.skip_damaged = true});
    const auto names = dataset->class_names(Split::kTest);
    CHECK(std::find(names.begin(), names.end(), "\\xC4pfel") != names.end());
    CHECK(std::find(names.begin(), names.end(), "汉字") != names.end());
    CHECK(std::find(names.begin(), names.end(), "line\\x0Abreak") != names.end());
    CHECK_NOTHROW(nlohmann::json(names).dump());
    CHECK_NOTHROW(nlohmann::json(dataset->spec().protocol).dump());
    CHECK_THAT(dataset->spec().protocol,
               contains("broken\\xE4.png") && contains("notes\\xFF.txt") && !contains("\n"));
    const auto missing =
        error_of([&] { dataset->check(Split::kTest, {.ways = 3, .shots = 5, .queries = 5}); });
    CHECK_NOTHROW(nlohmann::json(missing).dump());
  }
  for (const auto& error : {load_error(alone / "fo\xfflder"), load_error(alone / "x\xff.tar"),
                            load_error(alone / "no\xff"), load_error(alone / "fo\xfflder/\xff")}) {
    CHECK_NOTHROW(nlohmann::json(error).dump());
  }
}

TEST_CASE("a pipe in the place of a list is refused", "[datasets][folder]") {
  const Alone alone;
  write_folder(alone / "x", {{"1.png", drawn_character(0, 0)}});
  REQUIRE(mkfifo((alone / "x/train.csv").c_str(), 0600) == 0);
  CHECK_THAT(load_error(alone / "x"), contains("train.csv: it is a named pipe"));
  fs::rename(alone / "x/train.csv", alone / "train.csv");
  CHECK_THAT(load_error(alone / "x"), contains("train.csv: it is a named pipe"));
}

TEST_CASE("how images become squares is said and done", "[datasets][folder]") {
  const Alone alone;
  auto files = small_classes(5);
  for (auto& [path, bytes] : files)
    bytes = grey_image(8, 24, [](int, int c) { return c < 8 || c >= 16 ? 0 : 255; });
  write_folder(alone / "x", files);
  const auto darkest = [](const Dataset& dataset) {
    return draw_tasks(dataset, Split::kTrain, kShape, 1).support_x.min().item<double>();
  };
  const auto stretched = load(alone / "x", {.image_size = 8}),
             cut = load(alone / "x", {.image_size = 8, .crop = "center"});
  CHECK(darkest(*stretched) == 0);
  CHECK(darkest(*cut) == 1);
  CHECK_THAT(stretched->spec().protocol,
             contains("other sizes resized by Lanczos and stretched, upright by Exif"));
  CHECK_THAT(cut->spec().protocol,
             contains("resized by Lanczos to their shorter side and cut to the middle"));
  CHECK_THAT(load(alone / "x", {.exif = false})->spec().protocol, contains("Exif orientation ignored"));
  CHECK_THROWS_AS(load(alone / "x", {.crop = "centre"}), UsageError);
  CHECK_THAT(load_error(alone / "x", {.crop = "centre"}), contains("did you mean 'center'"));
}

TEST_CASE("classes have names by label", "[datasets][folder]") {
  const Alone alone;
  write_folder(alone / "x", small_classes(5));
  const auto dataset = load(alone / "x");
  CHECK(dataset->class_names(Split::kTrain) ==
        std::vector<std::string>{"train_class0", "train_class1", "train_class2", "train_class3"});
  Stream stream = task_stream(0);
  const auto drawn = dataset->draw_labelled(Split::kTrain, 20, stream);
  for (int64_t i = 0; i < 20; ++i) {  // class c has the grey levels from 80 c on, modulo 256
    const auto level = static_cast<int>(drawn.x[0][i][0][0][0].item<float>() * 255 + 0.5F);
    CHECK((level + 256 - 80 * drawn.y[0][i].item<int64_t>()) % 256 <= 40);
  }
}

TEST_CASE("the digest is the data's, wherever they lie and however they are packed", "[datasets][folder]") {
  const Alone alone;
  auto files = small_classes(5);
  Files around;
  for (const auto& [path, bytes] : files) around.emplace_back("mini/" + path, bytes);
  write_folder(alone / "here", files);
  write_folder(alone / "far/away", files);
  write_zip(alone / "x.zip", files);
  write_tar(alone / "x.tgz", around, Tar::kPax, true);
  const auto digest = load(alone / "here")->digest();
  CHECK(digest.size() == 16);
  CHECK(digest.find_first_not_of("0123456789abcdef") == std::string::npos);
  for (const auto name : {"here", "here/", "here//", "far/away", "x.zip", "x.tgz"}) {
    CAPTURE(name);
    CHECK(load(alone / name)->digest() == digest);
  }
  CHECK(load(alone / "here", {.image_size = 4, .mean = {0.5}, .crop = "center"})->digest() == digest);
  CHECK(load(alone / "here/")->spec().protocol == load(alone / "here")->spec().protocol);

  const auto changed = [&](const Files& other) {
    write_zip(alone / "changed.zip", other);
    return load(alone / "changed.zip")->digest() != digest;
  };
  CHECK_FALSE(changed(files));
  auto image = files;
  image[3].second = grey_image(8, 8, [](int, int) { return 3; });
  CHECK(changed(image));
  auto fewer = files;
  fewer.pop_back();
  CHECK(changed(fewer));
  auto renamed = files;
  for (auto& [path, bytes] : renamed) {
    if (path.starts_with("test/test_class0")) path.replace(5, 11, "test_alpha0");
  }
  CHECK(changed(renamed));
  auto moved = files;
  for (auto& [path, bytes] : moved) {
    if (path.starts_with("train/train_class0")) path.replace(0, 6, "val/");
  }
  CHECK(changed(moved));
}
