#include "datasets/archive.h"

#include "tests/catch.h"
#include "tests/datasets/fixtures.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

Files three_files() {
  return {{"b/one.txt", text("one")}, {"a.txt", text("")}, {"b/c/two.bin", Bytes(100000, 7)}};
}

Files read_all(const fs::path& source) {
  const auto paths = list_files(source);
  Files files(paths.size());
  read_files(source, paths, [&](size_t i, Bytes&& bytes) { files[i] = {paths[i], std::move(bytes)}; });
  return files;
}

}  // namespace

TEST_CASE("a zip archive and a folder of the same files read alike", "[datasets][archive]") {
  const Folder folder;
  auto expected = three_files();
  auto written = expected;
  written.emplace_back(".hidden/x.png", text("x"));
  written.emplace_back("b/._one.txt", text("resource fork"));
  written.emplace_back("__MACOSX/one.txt", text("resource fork"));
  write_folder(folder / "tree", written);
  write_zip(folder / "deflated.zip", written);
  write_zip(folder / "stored.zip", written, false);
  std::sort(expected.begin(), expected.end());
  for (const auto name : {"tree", "deflated.zip", "stored.zip"}) {
    CAPTURE(name);
    CHECK(read_all(folder / name) == expected);
  }
}

TEST_CASE("only the files asked for are read", "[datasets][archive]") {
  const Folder folder;
  write_zip(folder / "x.zip", three_files());
  int visits = 0;
  read_files(folder / "x.zip", {"b/one.txt"}, [&](size_t i, Bytes&& bytes) {
    ++visits;
    CHECK(i == 0);
    CHECK(bytes == text("one"));
  });
  CHECK(visits == 1);
  CHECK_THAT(error_of([&] { read_files(folder / "x.zip", {"b/none.txt"}, [](size_t, Bytes&&) {}); }),
             EndsWith("x.zip holds no file b/none.txt"));
}

TEST_CASE("an archive cut off anywhere is refused by name", "[datasets][archive]") {
  const Folder folder;
  write_zip(folder / "whole.zip", three_files(), false);
  const auto whole = read_bytes(folder / "whole.zip");
  const auto part = GENERATE(0.001, 0.1, 0.5, 0.9, 0.999);
  CAPTURE(part);
  write_bytes(
      folder / "cut.zip",
      Bytes(whole.begin(), whole.begin() + static_cast<int64_t>(part * static_cast<double>(whole.size()))));
  CHECK_THAT(error_of([&] { list_files(folder / "cut.zip"); }),
             contains("cut.zip is not a whole zip archive") && contains("cut off"));
}

TEST_CASE("a damaged entry is refused by the names of archive and entry", "[datasets][archive]") {
  const Folder folder;
  const bool compress = GENERATE(false, true);
  CAPTURE(compress);
  Bytes content(3000);
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<uint8_t>(i * i % 251);
  write_zip(folder / "x.zip", {{"b/one.txt", content}}, compress);
  auto bytes = read_bytes(folder / "x.zip");
  const auto name = text("b/one.txt");
  const auto header = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  REQUIRE(header != bytes.end());
  *(header + 200) ^= 0x10;
  write_bytes(folder / "x.zip", bytes);
  CHECK_THAT(error_of([&] { read_all(folder / "x.zip"); }), contains("x.zip: b/one.txt is damaged"));
}

TEST_CASE("what is neither a folder nor an archive is refused", "[datasets][archive]") {
  const Folder folder;
  CHECK_THAT(error_of([&] { list_files(folder / "none"); }), contains("no such file or folder: "));
  write_bytes(folder / "note.zip", text("this is a note, and not an archive of anything"));
  CHECK_THAT(error_of([&] { list_files(folder / "note.zip"); }),
             contains("note.zip is not a whole zip archive"));
  write_bytes(folder / "empty.zip", {});
  CHECK_THAT(error_of([&] { list_files(folder / "empty.zip"); }), contains("it is empty"));
  fs::create_directories(folder / "tree");
  fs::create_symlink("nowhere", folder / "tree/link.png");
  CHECK_THAT(error_of([&] { read_all(folder / "tree"); }), contains("cannot read ") && contains("link.png"));
}

TEST_CASE("the content hash of an archive is its bytes', that of a folder its files'",
          "[datasets][archive]") {
  const Folder folder;
  write_zip(folder / "x.zip", three_files());
  auto bytes = read_bytes(folder / "x.zip");
  const auto before = content_hash(folder / "x.zip", {});
  for (const size_t place : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    bytes[place] ^= 1;
    write_bytes(folder / "x.zip", bytes);
    CHECK(content_hash(folder / "x.zip", {}) != before);
    bytes[place] ^= 1;
  }
  write_bytes(folder / "y.zip", bytes);
  CHECK(content_hash(folder / "y.zip", {}) == before);

  write_folder(folder / "tree", three_files());
  const std::vector<std::string> paths{"a.txt", "b/one.txt"};
  const auto tree = content_hash(folder / "tree", paths);
  CHECK(content_hash(folder / "tree", paths) == tree);
  fs::last_write_time(folder / "tree/a.txt",
                      fs::last_write_time(folder / "tree/a.txt") + std::chrono::seconds(1));
  CHECK(content_hash(folder / "tree", paths) != tree);
}
