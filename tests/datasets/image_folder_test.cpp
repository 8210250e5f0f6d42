#include "datasets/image_folder.h"

#include "base/error.h"
#include "tests/datasets/draw.h"
#include "tests/datasets/fixtures.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

std::unique_ptr<Dataset> load(const fs::path& path, int64_t size = 0) {
  return make_image_folder({.path = path.string(), .image_size = size});
}

std::string load_error(const fs::path& path, int64_t size = 0) {
  return error_of([&] { load(path, size); });
}

constexpr EpisodeShape kShape{.ways = 3, .shots = 2, .queries = 3};

std::array<int64_t, 3> class_counts(const Dataset& dataset) {
  return {dataset.classes(Split::kTrain), dataset.classes(Split::kValidation), dataset.classes(Split::kTest)};
}

// small_classes(5) with all images in images/ and three lists of them.
Files listed_classes(const std::string& header = "filename,label") {
  Files files;
  std::array<std::string, 3> lists{header + "\n", header + "\n", header + "\n"};
  for (const auto& [path, bytes] : small_classes(5)) {
    const auto label = path.substr(path.find('/') + 1, path.rfind('/') - path.find('/') - 1);
    const auto name = label + "_" + path.substr(path.rfind('/') + 1);
    files.emplace_back("images/" + name, bytes);
    lists[path[0] == 'v' ? 1 : path.starts_with("test") ? 2 : 0] += name + "," + label + "\n";
  }
  files.emplace_back("train.csv", text(lists[0]));
  files.emplace_back("val.csv", text(lists[1]));
  files.emplace_back("test.csv", text(lists[2]));
  return files;
}

Bytes& file(Files& files, const std::string& path) {
  for (auto& [name, bytes] : files) {
    if (name == path) return bytes;
  }
  throw Error("no " + path);
}

}  // namespace

TEST_CASE("class folders read alike from a folder, an archive, and a folder around them",
          "[datasets][folder]") {
  const Alone alone;
  const auto files = small_classes(5);
  Files inside;
  for (const auto& [path, bytes] : files) inside.emplace_back("mini/" + path, bytes);
  write_folder(alone / "plain", files);
  write_folder(alone / "inside", inside);
  write_folder(alone / "validation", small_classes(5, 8, "validation"));
  write_zip(alone / "plain.zip", files);
  write_zip(alone / "inside.zip", inside);
  write_zip(alone / "holder/the.zip", files);
  write_bytes(alone / "holder/notes.txt", text("about the archive"));
  const auto plain = load(alone / "plain");
  CHECK(class_counts(*plain) == std::array<int64_t, 3>{4, 3, 3});
  CHECK(plain->spec().input == std::vector<int64_t>{1, 8, 8});
  CHECK_THAT(plain->spec().protocol,
             contains("4 / 3 / 3 classes with 20 / 15 / 15 images") && contains("8 x 8 grey"));
  for (const auto name : {"inside", "validation", "plain.zip", "inside.zip", "holder"}) {
    CAPTURE(name);
    const auto other = load(alone / name);
    for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
      CHECK(same(draw_tasks(*plain, split, kShape, 4), draw_tasks(*other, split, kShape, 4)));
    }
  }
}

TEST_CASE("lists read alike beside the images, beside the archive and inside it", "[datasets][folder]") {
  const Alone alone;
  const auto files = listed_classes();
  Files images, lists;
  for (const auto& file : files) (file.first.ends_with(".csv") ? lists : images).push_back(file);
  write_folder(alone / "tree", files);
  write_zip(alone / "inside.zip", files);
  write_zip(alone / "beside/images.zip", images);
  write_folder(alone / "beside", lists);
  write_folder(alone / "classes", small_classes(5));
  const auto expected = load(alone / "classes");
  for (const auto name :
       {"tree", "tree/images", "tree/images/", "inside.zip", "beside/images.zip", "beside"}) {
    CAPTURE(name);
    const auto dataset = load(alone / name);
    CHECK(class_counts(*dataset) == std::array<int64_t, 3>{4, 3, 3});
    CHECK_THAT(dataset->spec().protocol, contains("CSV files, 50 rows;"));
    CHECK_THAT(dataset->spec().protocol, !contains("ignored"));
    CHECK(
        same(draw_tasks(*dataset, Split::kTest, kShape, 4), draw_tasks(*expected, Split::kTest, kShape, 4)));
  }
}

TEST_CASE("columns may stand in any order, among others and in quotes", "[datasets][folder]") {
  const Alone alone;
  auto files = listed_classes();
  file(files, "test.csv") = text(
      "\xef\xbb\xbf\"label\",id,filename\r\n\"a, b\",1,test_class0_image0.png\r\n\r\n"
      "\"a, b\",2,images/test_class0_image1.png\r\n");
  write_folder(alone / "tree", files);
  const auto dataset = load(alone / "tree");
  CHECK(dataset->classes(Split::kTest) == 1);
  CHECK_THAT(error_of([&] { dataset->check(Split::kTest, {.ways = 2, .shots = 1, .queries = 1}); }),
             contains("the test split has 1 classes"));
}

TEST_CASE("rows without an image are counted, and refused only where a class falls short",
          "[datasets][folder]") {
  const Alone alone;
  auto files = listed_classes();
  std::erase_if(files, [](const auto& f) {
    return f.first.starts_with("images/train_class1") || f.first == "images/val_class2_image0.png";
  });
  write_folder(alone / "tree", files);
  const auto dataset = load(alone / "tree");
  CHECK_THAT(dataset->spec().protocol, contains("50 rows, 6 of them without an image here"));
  CHECK(class_counts(*dataset) == std::array<int64_t, 3>{4, 3, 3});
  dataset->check(Split::kTest, {.ways = 3, .shots = 2, .queries = 3});
  dataset->check(Split::kValidation, {.ways = 3, .shots = 2, .queries = 2});
  CHECK_THAT(error_of([&] { dataset->check(Split::kValidation, kShape); }),
             contains("class val_class2 of the validation split has 4 images"));
  CHECK_THAT(error_of([&] { dataset->check(Split::kTrain, {.ways = 2, .shots = 1, .queries = 1}); }),
             contains("class train_class1 of the train split has 0 images"));
}

TEST_CASE("lists that name no image at all are refused", "[datasets][folder]") {
  const Alone alone;
  auto files = listed_classes();
  for (auto& [path, bytes] : files) {
    if (path.starts_with("images/")) path.insert(7, "other_");
  }
  write_folder(alone / "tree", files);
  CHECK_THAT(load_error(alone / "tree"), contains("none of the 50 rows of the CSV files names an image of"));
}

TEST_CASE("wrong columns and incomplete rows are refused with file and line", "[datasets][folder]") {
  const Alone alone;
  write_folder(alone / "tree", listed_classes("image,class"));
  CHECK_THAT(load_error(alone / "tree"),
             contains("train.csv: the columns are 'image,class', expected 'filename,label'"));
  auto files = listed_classes();
  file(files, "val.csv") = text("filename,label\nval_class0_image0.png,val_class0\nval_class0_image1.png\n");
  write_folder(alone / "rows", files);
  CHECK_THAT(load_error(alone / "rows"),
             contains("val.csv, line 3: 'val_class0_image1.png' lacks a filename or a label"));
  file(files, "val.csv") = text("");
  write_folder(alone / "empty", files);
  CHECK_THAT(load_error(alone / "empty"), contains("val.csv: the columns are ''"));
}

TEST_CASE("a class in two splits and a file named twice are refused", "[datasets][folder]") {
  const Alone alone;
  auto folders = small_classes(2);
  folders.emplace_back("test/train_class3/image0.png", folders[0].second);
  write_folder(alone / "folders", folders);
  CHECK_THAT(load_error(alone / "folders"),
             contains("class train_class3 stands in two splits, train and test"));

  auto files = listed_classes();
  file(files, "val.csv") = text("filename,label\nval_class0_image0.png,a\nval_class0_image0.png,b\n");
  write_folder(alone / "twice", files);
  CHECK_THAT(load_error(alone / "twice"),
             contains("val.csv names val_class0_image0.png, which a row before it has named"));

  files = listed_classes();
  files.emplace_back("copy/val_class0_image0.png", files[0].second);
  write_folder(alone / "copies", files);
  CHECK_THAT(load_error(alone / "copies"), contains("names val_class0_image0.png, which may be") &&
                                               contains("copy/val") && contains("images/val"));
}

TEST_CASE("images of one size keep it, others become 84 x 84, or what is asked for", "[datasets][folder]") {
  const Alone alone;
  auto files = small_classes(2, 10);
  write_folder(alone / "one", files);
  CHECK(load(alone / "one")->spec().input == std::vector<int64_t>{1, 10, 10});
  CHECK(load(alone / "one", 6)->spec().input == std::vector<int64_t>{1, 6, 6});
  files.back().second = grey_image(10, 12, [](int, int) { return 100; });
  write_folder(alone / "mixed", files);
  const auto mixed = load(alone / "mixed");
  CHECK(mixed->spec().input == std::vector<int64_t>{1, 84, 84});
  CHECK_THAT(mixed->spec().protocol, contains("84 x 84 grey, other sizes resized by Lanczos"));
  CHECK(load(alone / "mixed", 16)->spec().input == std::vector<int64_t>{1, 16, 16});
  CHECK_THROWS_AS(load(alone / "one", -1), UsageError);
}

TEST_CASE("one late image of another size or in colour changes them all", "[datasets][folder]") {
  const Alone alone;
  Files files;
  for (int i = 0; i < 700; ++i) {
    files.emplace_back(concat("train/a/", 1000 + i, ".png"),
                       grey_image(4, 4, [&](int, int) { return i % 256; }));
  }
  write_folder(alone / "grey", files);
  CHECK(load(alone / "grey")->spec().input == std::vector<int64_t>{1, 4, 4});
  files.emplace_back("train/b/late.png", colour_image(4, 4, {255, 0, 51}));
  write_folder(alone / "colour", files);
  const auto dataset = load(alone / "colour");
  CHECK(dataset->spec().input == std::vector<int64_t>{3, 4, 4});
  Stream stream = task_stream(0);
  const auto drawn = dataset->draw_labelled(Split::kTrain, 20, stream);
  for (int64_t i = 0; i < 20; ++i) {
    const auto pixel = drawn.x[0][i].flatten(1).select(1, 0);
    if (drawn.y[0][i].item<int64_t>() == 1) {
      CHECK(pixel.allclose(torch::tensor({1.0F, 0.0F, 0.2F})));
    } else {
      CHECK(pixel[0].item<float>() == pixel[2].item<float>());
    }
  }
  files.emplace_back("train/b/later.png", colour_image(5, 4, {1, 2, 3}));
  write_folder(alone / "sizes", files);
  CHECK(load(alone / "sizes")->spec().input == std::vector<int64_t>{3, 84, 84});
}

TEST_CASE("other files are ignored and counted, images outside the splits too", "[datasets][folder]") {
  const Alone alone;
  auto files = small_classes(5);
  files.emplace_back("train/train_class0/Thumbs.db", text("x"));
  files.emplace_back("readme.md", text("x"));
  files.emplace_back("unlabelled/cat.png", files[0].second);
  write_folder(alone / "tree", files);
  CHECK_THAT(load(alone / "tree")->spec().protocol,
             contains("; 1 images outside train, val and test ignored: unlabelled/cat.png;") &&
                 EndsWith("; 2 other files ignored: readme.md, train/train_class0/Thumbs.db"));
}

TEST_CASE("a damaged image is named, nothing is cached, and a repaired one is read", "[datasets][folder]") {
  const Alone alone;
  auto files = small_classes(5);
  const auto whole = std::exchange(files[7].second, text("not an image"));
  write_zip(alone / "x.zip", files);
  CHECK_THAT(load_error(alone / "x.zip"), contains("x.zip: " + files[7].first + " is not an image"));
  CHECK(alone.cached().empty());
  files[7].second = whole;
  write_zip(alone / "x.zip", files);
  load(alone / "x.zip");
  CHECK(alone.cached().size() == 1);
  // A changed archive in the same place is read again.
  for (auto& [path, bytes] : files) bytes = grey_image(8, 8, [](int, int) { return 255; });
  write_zip(alone / "x.zip", files);
  CHECK(draw_tasks(*load(alone / "x.zip"), Split::kTrain, kShape, 1).support_x.min().item<double>() == 1);
  CHECK(alone.cached().size() == 1);
}

TEST_CASE("a truncated archive is refused and nothing is cached", "[datasets][folder]") {
  const Alone alone;
  write_zip(alone / "x.zip", small_classes(5));
  auto bytes = read_bytes(alone / "x.zip");
  bytes.resize(bytes.size() / 2);
  write_bytes(alone / "x.zip", bytes);
  CHECK_THAT(load_error(alone / "x.zip"), contains("x.zip is not a whole zip archive"));
  CHECK(alone.cached().empty());
}

TEST_CASE("a path with nothing to read teaches the layouts", "[datasets][folder]") {
  const Alone alone;
  CHECK_THROWS_AS(make_image_folder(ImageFolderConfig{}), UsageError);
  CHECK_THAT(error_of([] { make_image_folder(ImageFolderConfig{}); }),
             contains("image_folder needs dataset.path"));
  CHECK_THAT(load_error("no/such/images"), contains("no such file or folder: no/such/images") &&
                                               contains("dataset.path") && contains("INNERLOOP_DATA") &&
                                               contains("mini-ImageNet") && contains("train.csv"));
  write_bytes(alone / "texts/a.txt", text("x"));
  CHECK_THAT(load_error(alone / "texts"),
             contains("holds no image (.png, .jpg, .jpeg") && contains("it holds a.txt"));
  write_folder(alone / "flat",
               {{"cats/a.png", drawn_character(0, 0)}, {"dogs/b.png", drawn_character(1, 0)}});
  CHECK_THAT(load_error(alone / "flat"),
             contains("neither a folder train nor a train.csv in it or beside it; "
                      "it holds cats, dogs"));
  write_folder(alone / "shallow", {{"train/a.png", drawn_character(0, 0)}});
  CHECK_THAT(load_error(alone / "shallow"),
             contains("train/a.png lies in no class folder, expected train/CLASS"));
}

TEST_CASE("the real mini-ImageNet has 64, 16 and 20 classes", "[datasets][folder]") {
  const char* data = getenv("INNERLOOP_DATA");
  if (data == nullptr || !fs::exists(fs::path(data) / "mini-imagenet")) {
    SUCCEED("INNERLOOP_DATA does not hold mini-ImageNet");
    return;
  }
  const auto dataset = load("mini-imagenet");
  CHECK(class_counts(*dataset) == std::array<int64_t, 3>{64, 16, 20});
  CHECK(dataset->spec().input == std::vector<int64_t>{3, 84, 84});
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    dataset->check(split, {.ways = 5, .shots = 5, .queries = 15});
  }
}
