#include "datasets/archive.h"

#include <sys/stat.h>

#include "datasets/archive_reader.h"
#include "tests/catch.h"
#include "tests/datasets/fixtures.h"
#include "tests/datasets/read_all.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

Files three_files() {
  return {{"b/one.txt", text("one")}, {"a.txt", text("")}, {"b/c/two.bin", Bytes(100000, 7)}};
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

TEST_CASE("tar archives, plain and compressed, read like a folder", "[datasets][archive]") {
  const Folder folder;
  auto expected = three_files();
  Files written{{".hidden/x.png", text("x")}, {"b/._one.txt", text("resource fork")}};
  for (const auto& [path, bytes] : expected) written.emplace_back("./" + path, bytes);
  std::sort(expected.begin(), expected.end());
  write_tar(folder / "gnu.tar", written);
  write_tar(folder / "ustar.tar", written, Tar::kUstar);
  write_tar(folder / "pax.TAR", written, Tar::kPax);
  write_tar(folder / "x.tar.gz", written, Tar::kGnu, true);
  write_tar(folder / "named_otherwise", written, Tar::kUstar, true);
  write_archive(folder / "x.tar.xz", written, [](archive* tar) {
    archive_write_set_format_ustar(tar);
    archive_write_add_filter_xz(tar);
  });
  for (const auto name : {"gnu.tar", "ustar.tar", "pax.TAR", "x.tar.gz", "named_otherwise", "x.tar.xz"}) {
    CAPTURE(name);
    CHECK(read_all(folder / name) == expected);
  }
  for (const auto name : {"a.zip", "a.TAR", "a.tgz", "a.tar.gz", "b/a.Tar.Xz"}) CHECK(is_archive_name(name));
  for (const auto name : {"a.gz", "zip", "a.zip/b", "a.tar.gz.part"}) CHECK_FALSE(is_archive_name(name));
}

TEST_CASE("a tar archive cut off anywhere is refused by name", "[datasets][archive]") {
  const Folder folder;
  const bool gzip = GENERATE(false, true);
  auto files = three_files();
  for (int i = 0; i < 20000; ++i) files[0].second.push_back(static_cast<uint8_t>(i * i % 251 + i / 251));
  write_tar(folder / "whole.tar", files, Tar::kGnu, gzip);
  const auto whole = read_bytes(folder / "whole.tar");
  REQUIRE(read_all(folder / "whole.tar").size() == 3);
  std::vector<size_t> ends{600, whole.size() / 10, whole.size() / 2, whole.size() * 9 / 10, whole.size() - 1};
  if (!gzip) ends = {512, 1024, 512 + 20480 + 3, 512 + 20480, 512 + 20480 + 512, 512 + 20480 + 1024};
  for (const auto end : ends) {
    CAPTURE(gzip, end);
    write_bytes(folder / "cut.tar", Bytes(whole.begin(), whole.begin() + static_cast<int64_t>(end)));
    CHECK_THAT(error_of([&] { list_files(folder / "cut.tar"); }),
               contains("cut.tar is not a whole tar archive") || contains("cut.tar is damaged"));
  }
}

TEST_CASE("links in an archive are named and not followed", "[datasets][archive]") {
  const Folder folder;
  archive* tar = archive_write_new();
  archive_write_set_format_ustar(tar);
  REQUIRE(archive_write_open_filename(tar, (folder / "x.tar").c_str()) == ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, "a.png");
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_size(entry, 0);
  REQUIRE(archive_write_header(tar, entry) == ARCHIVE_OK);
  archive_entry_set_pathname(entry, "hard.png");
  archive_entry_set_hardlink(entry, "a.png");
  REQUIRE(archive_write_header(tar, entry) == ARCHIVE_OK);
  archive_entry_clear(entry);
  archive_entry_set_pathname(entry, "symbolic.png");
  archive_entry_set_filetype(entry, AE_IFLNK);
  archive_entry_set_symlink(entry, "a.png");
  REQUIRE(archive_write_header(tar, entry) == ARCHIVE_OK);
  archive_entry_free(entry);
  archive_write_close(tar);
  archive_write_free(tar);
  const auto listing = list_files(folder / "x.tar");
  CHECK(listing.files == std::vector<std::string>{"a.png"});
  CHECK(listing.skipped == std::vector<std::string>{"hard.png (a link inside an archive)",
                                                    "symbolic.png (a link inside an archive)"});
}

TEST_CASE("an entry whose name is nothing but slashes is damage", "[datasets][archive]") {
  const Folder folder;
  for (const auto name : {"/", "./", "././/"}) {
    CAPTURE(name);
    archive* tar = archive_write_new();
    archive_write_set_format_ustar(tar);
    REQUIRE(archive_write_open_filename(tar, (folder / "x.tar").c_str()) == ARCHIVE_OK);
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFLNK);
    archive_entry_set_symlink(entry, "a.png");
    REQUIRE(archive_write_header(tar, entry) == ARCHIVE_OK);
    archive_entry_free(entry);
    archive_write_close(tar);
    archive_write_free(tar);
    CHECK_THAT(error_of([&] { list_files(folder / "x.tar"); }), contains("is damaged: an entry has no name"));
  }
}

TEST_CASE("the other slash of an archive made on Windows parts folders", "[datasets][archive]") {
  const Folder folder;
  write_zip(folder / "x.zip", {{"train\\cat\\1.png", text("1")}}, false);
  CHECK(read_all(folder / "x.zip") == Files{{"train/cat/1.png", text("1")}});
}

TEST_CASE("what is no regular file is refused instead of waited for", "[datasets][archive]") {
  const Folder folder;
  REQUIRE(mkfifo((folder / "pipe.zip").c_str(), 0600) == 0);
  CHECK_THAT(error_of([&] { list_files(folder / "pipe.zip"); }),
             contains("pipe.zip: it is a named pipe, expected a regular file"));
  CHECK_THAT(error_of([&] { content_hash(folder / "pipe.zip", {}); }), contains("it is a named pipe"));
  CHECK_THAT(error_of([] { list_files("/dev/zero"); }), contains("/dev/zero: it is a device"));
  write_bytes(folder / "tree/a.png", text("a"));
  REQUIRE(mkfifo((folder / "tree/b.png").c_str(), 0600) == 0);
  fs::create_symlink("/dev/zero", folder / "tree/c.png");
  CHECK(list_files(folder / "tree").files.size() == 3);
  content_hash(folder / "tree", {"a.png", "b.png", "c.png"});
  CHECK_THAT(error_of([&] { read_all(folder / "tree"); }), contains("tree/b.png: it is a named pipe"));
  std::vector<std::string> damaged;
  int visits = 0;
  read_files(
      folder / "tree", {"a.png", "b.png", "c.png", "d.png"}, [&](size_t, Bytes&&) { ++visits; },
      [&](size_t i, const std::string& reason) { damaged.push_back(concat(i, " ", reason)); });
  CHECK(visits == 1);
  REQUIRE(damaged.size() == 3);
  CHECK_THAT(damaged[0], StartsWith("1 ") && contains("b.png: it is a named pipe"));
  CHECK_THAT(damaged[1], StartsWith("2 ") && contains("c.png: it is a device"));
  CHECK_THAT(damaged[2], StartsWith("3 ") && contains("d.png: no such file"));
}

TEST_CASE("behind a damaged entry the others are read, if the reader wants it", "[datasets][archive]") {
  const Folder folder;
  const bool compress = GENERATE(false, true);
  CAPTURE(compress);
  Bytes content(3000);
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<uint8_t>(i * i % 251);
  write_zip(folder / "x.zip", {{"one.txt", content}, {"two.txt", content}}, compress);
  auto bytes = read_bytes(folder / "x.zip");
  const auto name = text("one.txt");
  *(std::search(bytes.begin(), bytes.end(), name.begin(), name.end()) + 200) ^= 0x10;
  write_bytes(folder / "x.zip", bytes);
  std::vector<std::string> seen;
  read_files(
      folder / "x.zip", {"one.txt", "two.txt"},
      [&](size_t i, Bytes&& whole) { seen.push_back(concat(i, whole == content ? " whole" : " other")); },
      [&](size_t i, const std::string& reason) {
        seen.push_back(concat(i, " ", reason.substr(reason.rfind('/'))));
      });
  REQUIRE(seen.size() == 2);
  CHECK_THAT(seen[0], StartsWith("0 /x.zip: one.txt is damaged"));
  CHECK(seen[1] == "1 whole");
}

TEST_CASE("an entry unpacks to a bound, whatever its archive says", "[datasets][archive]") {
  const Folder folder;
  write_tar(folder / "x.tar.gz", {{"a.png", Bytes(100'000)}}, Tar::kGnu, true);
  const auto read = [&](size_t largest) {
    ArchiveReader reader(folder / "x.tar.gz", largest);
    reader.next();
    return reader.read("x: a.png").size();
  };
  CHECK(read(100'000) == 100'000);
  CHECK(error_of([&] { read(99'999); }) == "x: a.png is too large: it has more than 99999 bytes");
}

// Taking them off one by one moves the name each time: minutes.
TEST_CASE("a name of a million slashes is read in time", "[datasets][archive]") {
  const Folder folder;
  const std::string end = "a/b.png";
  write_tar(folder / "x.tar", {{std::string(500'000, '/') + end, text("x")}});
  CHECK(list_files(folder / "x.tar").files == std::vector<std::string>{end});
}
