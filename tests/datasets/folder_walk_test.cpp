#include "datasets/folder_walk.h"

#include "tests/catch.h"
#include "tests/datasets/fixtures.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

void link(const fs::path& to, const fs::path& from) { fs::create_directory_symlink(to, from); }

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("a link to a folder elsewhere is followed, by every path to it", "[datasets][folder_walk]") {
  const Folder folder;
  write_folder(folder.path(), {{"far/cats/1.png", text("1")}, {"near/2.png", text("2")}});
  link("../far/cats", folder / "near/cats");
  link("../far", folder / "near/all");
  const auto listing = list_files(folder / "near");
  CHECK(listing.files == Paths{"2.png", "all/cats/1.png", "cats/1.png"});
  CHECK(listing.skipped.empty());
}

TEST_CASE("a link to a folder around it is named and not followed", "[datasets][folder_walk]") {
  const Folder folder;
  write_folder(folder.path(), {{"train/a/1.png", text("1")}, {"train/b/2.png", text("2")}});
  link("..", folder / "train/a/up");
  link("../../train", folder / "train/b/up");
  link(".", folder / "train/b/self");
  link(fs::absolute(folder.path()), folder / "train/b/root");
  const auto listing = list_files(folder.path());
  CHECK(listing.files == Paths{"train/a/1.png", "train/b/2.png"});
  CHECK(listing.skipped ==
        Paths{"train/a/up (a link to a folder around it)", "train/b/root (a link to a folder around it)",
              "train/b/self (a link to a folder around it)", "train/b/up (a link to a folder around it)"});
}

TEST_CASE("links that lead to each other end", "[datasets][folder_walk]") {
  const Folder folder;
  constexpr int kFolders = 12;  // with a link from each to each there are 12! paths
  for (int i = 0; i < kFolders; ++i) {
    write_bytes(folder / concat("f", i, "/", i, ".png"), text("x"));
    for (int j = 0; j < kFolders; ++j) link(concat("../f", j), folder / concat("f", i, "/to", j));
  }
  const auto listing = list_files(folder.path());
  CHECK(listing.files.size() <= kFolders * kFolders * kFolders);
  CHECK(listing.files.size() > kFolders);
  CHECK_FALSE(listing.skipped.empty());
}

TEST_CASE("hidden folders are not entered", "[datasets][folder_walk]") {
  const Folder folder;
  write_folder(folder.path(),
               {{".git/1.png", text("1")}, {"a/.thumbs/2.png", text("2")}, {"a/3.png", text("3")}});
  link("nowhere", folder / "a/.loop");
  CHECK(list_files(folder.path()).files == Paths{"a/3.png"});
}
