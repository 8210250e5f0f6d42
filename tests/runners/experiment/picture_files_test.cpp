#include "runners/experiment/picture_files.h"

#include <sstream>

#include "base/error.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

void touch(const std::filesystem::path& file) {
  std::filesystem::create_directories(file.parent_path());
  write_file(file, "");
}

}  // namespace

TEST_CASE("a support folder has a class for each of its folders, with as many pictures as there are",
          "[predict]") {
  const TemporaryFolder folder;
  for (const char* name :
       {"b/2.png", "b/1.JPG", "b/deeper/3.webp", "a/x.png", "a/notes.txt", "readme.md", ".hidden/1.png"}) {
    touch(folder / name);
  }
  const auto found = read_support_folder(folder / "");
  CHECK(found.classes == std::vector<std::string>{"a", "b"});
  CHECK(found.shots == std::vector<int64_t>{1, 3});
  CHECK(found.labels == std::vector<int64_t>{0, 1, 1, 1});
  CHECK(found.files[0].filename() == "x.png");
  CHECK(found.ignored == 2);
}

TEST_CASE("a support folder without two classes of pictures is refused", "[predict]") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(read_support_folder(folder / "absent"),
                    contains("does not exist") && contains("one folder of pictures for each class"));
  touch(folder / "file");
  CHECK_THROWS_WITH(read_support_folder(folder / "file"), contains("is no folder"));
  touch(folder / "cat" / "1.png");
  CHECK_THROWS_WITH(read_support_folder(folder / ""),
                    contains("1 class folder (cat)") && contains("at least 2"));
  std::filesystem::create_directories(folder / "dog");
  CHECK_THROWS_WITH(read_support_folder(folder / ""), contains("the class dog has no pictures"));
  touch(folder / "dog" / "1.png");
  CHECK(read_support_folder(folder / "").classes.size() == 2);
}

TEST_CASE("queries are files, folders and lists, and know their class by their folder", "[predict]") {
  const TemporaryFolder folder;
  for (const char* name : {"new/cat/2.png", "new/cat/1.png", "new/dog/deep/1.png", "new/bird/1.png",
                           "new/a.txt", "single.dat"}) {
    touch(folder / name);
  }
  const std::vector<std::string> classes{"cat", "dog"};
  std::istringstream list((folder / "single.dat").string() + "\r\n\n" + (folder / "new/bird").string() +
                          "\n");
  const auto found = find_queries({(folder / "new").string(), "-"}, classes, list);
  REQUIRE(found.files.size() == 6);
  const auto truth = [&](size_t i) { return found.files[i].truth.value_or(-1); };
  CHECK(found.files[0].file.parent_path().filename() == "bird");
  CHECK(truth(0) == -1);
  CHECK(found.files[1].file.filename() == "1.png");
  CHECK(truth(1) == 0);
  CHECK(truth(3) == 1);  // its folder's folder
  CHECK(found.files[4].file.filename() == "single.dat");
  CHECK(truth(4) == -1);
  CHECK(found.ignored == 1);
  std::istringstream none;
  CHECK_THROWS_WITH(find_queries({(folder / "absent").string()}, classes, none),
                    contains("no such file or folder"));
  CHECK_THROWS_WITH(find_queries({"-"}, classes, none), contains("standard input names no picture"));
  std::filesystem::create_directories(folder / "empty");
  CHECK_THROWS_WITH(find_queries({(folder / "empty").string()}, classes, none), contains("names no picture"));
}
