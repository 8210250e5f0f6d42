#include "datasets/image_lists.h"

#include "datasets/archive.h"
#include "tests/datasets/fixtures.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

// The folder with these images (empty files) and one list, train.csv, that names `row`.
struct Listed : Folder {
  Listed(const std::vector<std::string>& images, const std::string& row) {
    for (const auto& image : images) write_bytes(path() / "set" / image, {});
    write_bytes(path() / "set/train.csv", text("filename,label\n" + row + ",A\n"));
  }
  Contents contents() const {
    Contents found{.source = path() / "set"};
    for (const auto& file : list_files(found.source).files) {
      (file.ends_with(".csv") ? found.others : found.images).push_back(file);
    }
    return found;
  }
  std::string found() const {
    std::string image;
    const auto error = error_of([&] { image = read_lists(contents())->classes[0].at("A").files.at(0); });
    return image.empty() ? error : image;
  }
};

const std::vector<std::string> kImages{"images/cat/1.png", "images/cat/2.png",      "images/dog/1.png",
                                       "images/3.png",     "images/\u00c4pfel.png", "images/c\\4.png"};

}  // namespace

TEST_CASE("a row finds its image however the path is written", "[datasets][lists]") {
  const auto finds = [](const std::string& row, const std::string& image) {
    CAPTURE(row);
    CHECK(Listed(kImages, row).found() == image);
  };
  finds("3.png", "images/3.png");
  finds("images/3.png", "images/3.png");
  finds("./images/3.png", "images/3.png");
  finds("images//cat/./1.png", "images/cat/1.png");
  finds("../set/images/3.png", "images/3.png");
  finds("images/dog/../cat/1.png", "images/cat/1.png");
  finds("images\\dog\\1.png", "images/dog/1.png");
  finds(".\\images\\3.png", "images/3.png");
  finds("c\\4.png", "images/c\\4.png");  // here the name has it
  finds("/home/ada/set/images/cat/2.png", "images/cat/2.png");
  finds("/home/ada/other/cat/2.png", "images/cat/2.png");
  finds("C:\\Users\\ada\\set\\images\\dog\\1.png", "images/dog/1.png");
  finds("/images/3.png", "images/3.png");
  finds("\u00c4pfel.png", "images/\u00c4pfel.png");
  finds("images/A\u0308pfel.png", "images/\u00c4pfel.png");
  CHECK(Listed({"A\u0308pfel.png"}, "images/\u00c4pfel.png").found() == "A\u0308pfel.png");
}

TEST_CASE("a row never takes another folder's image of the same name", "[datasets][lists]") {
  const auto lost = [](const std::string& row) {
    CAPTURE(row);
    CHECK_THAT(Listed(kImages, row).found(), contains("none of the 1 rows"));
  };
  lost("bird/1.png");
  lost("images/bird/2.png");
  lost("/home/ada/set/images/bird/2.png");
  lost("/home/ada/2.png");
  lost("at/1.png");
  CHECK_THAT(Listed(kImages, "1.png").found(),
             contains("names 1.png, which may be") && contains("cat/1.png") && contains("dog/1.png"));
  CHECK_THAT(Listed({"3.png", "images/3.png"}, "other/3.png").found(), contains("none of the 1 rows"));
}

TEST_CASE("lists that name no image are refused with a row and an image", "[datasets][lists]") {
  CHECK_THAT(Listed(kImages, "photos/9.png").found(),
             contains("none of the 1 rows of the CSV files names an image of") &&
                 contains("line 2 of train.csv names 'photos/9.png', and no image's path ends in that") &&
                 contains("an image here is 'images/3.png'"));
}

TEST_CASE("lists are known in any case, and two for one split are refused", "[datasets][lists]") {
  const Listed listed({"1.png", "2.png"}, "1.png");
  fs::rename(listed / "set/train.csv", listed / "Train.CSV");  // beside the images
  write_bytes(listed / "set/valid.csv", text("filename,label\n2.png,B\n"));
  const auto layout = read_lists(listed.contents());
  REQUIRE(layout);
  CHECK(layout->classes[0].at("A").files == std::vector<std::string>{"1.png"});
  CHECK(layout->classes[1].at("B").files == std::vector<std::string>{"2.png"});
  CHECK(layout->lists == std::vector<std::string>{"valid.csv"});
  write_bytes(listed / "set/more/val.csv", text("filename,label\n2.png,B\n"));
  CHECK_THAT(error_of([&] { read_lists(listed.contents()); }),
             contains("there are 2 lists for validation: more/val.csv, valid.csv; expected one"));
}

// Looking for each of its ends in turn takes minutes.
TEST_CASE("a row of thirty thousand folders finds its image in time", "[datasets][lists]") {
  std::string row = "/";
  for (int i = 0; i < 30'000; ++i) row += "a/";
  CHECK(Listed(kImages, row + "dog/1.png").found() == "images/dog/1.png");
  CHECK_THAT(Listed(kImages, row + "1.png").found(), contains("none of the 1 rows"));
}
