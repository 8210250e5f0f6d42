#include "base/paths.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "base/error.h"
#include "tests/catch.h"

namespace fs = std::filesystem;

namespace {

class Folder {  // an empty folder for one test, removed at its end
 public:
  Folder() : path_(fs::temp_directory_path() / ("innerloop_paths_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("the version is three numbers", "[paths]") {
  int major = -1, minor = -1, patch = -1;
  CHECK(std::sscanf(innerloop::version().c_str(), "%d.%d.%d", &major, &minor, &patch) == 3);
}

TEST_CASE("INNERLOOP_SHARE decides where the data lie, and must hold configs", "[paths]") {
  const Folder folder;
  ::setenv("INNERLOOP_SHARE", folder.path().c_str(), 1);
  CHECK_THROWS_AS(innerloop::data_directory(), innerloop::UsageError);
  fs::create_directories(folder.path() / "configs");
  CHECK(innerloop::data_directory() == folder.path());
  ::unsetenv("INNERLOOP_SHARE");
  CHECK(innerloop::data_directory() != folder.path());
}

TEST_CASE("a program that was not installed finds the data of its source tree", "[paths]") {
  CHECK(fs::exists(innerloop::data_directory() / "configs"));
  CHECK(fs::exists(innerloop::data_directory() / "base" / "paths.h"));
}

TEST_CASE("an installed program finds the data beside itself, wherever it was moved", "[paths]") {
  const Folder folder;
  fs::create_directories(folder.path() / "bin");
  fs::create_directories(folder.path() / "share" / "innerloop" / "configs");
  const auto program = folder.path() / "bin" / "program", answer = folder.path() / "answer";
  fs::copy_file(fs::read_symlink("/proc/self/exe"), program);
  const auto command = "'" + program.string() + "' '[.print_data_directory]' > '" + answer.string() + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  std::ifstream in(answer);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  CHECK_THAT(text, contains("data=" + (folder.path() / "share" / "innerloop").string() + ";"));
}

TEST_CASE("(run by the test above, from its new place)", "[.print_data_directory]") {
  std::cout << "data=" << innerloop::data_directory().string() << ";\n";
}
