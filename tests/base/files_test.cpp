#include "base/files.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "base/error.h"
#include "tests/catch.h"
#include "tests/runners/scratch_folder.h"

using namespace innerloop;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

}  // namespace

TEST_CASE("a file is read whole, with every byte it may hold, up to the limit", "[files]") {
  const ScratchFolder folder;
  std::string content("\0\r\n\xff", 4);
  while (content.size() < 3000000) content += content;
  write(folder / "a", content);
  CHECK(read_file(folder / "a", content.size()) == content);
  CHECK_THROWS_WITH(
      read_file(folder / "a", content.size() - 1),
      contains(concat("has ", content.size(), " bytes")) && contains(concat("at most ", content.size() - 1)));
  write(folder / "empty", "");
  CHECK(read_file(folder / "empty", 0).empty());
  fs::create_symlink(folder / "a", folder / "link");
  CHECK(read_file(folder / "link", content.size()) == content);
}

TEST_CASE("a file whose size the system does not tell is read to its end and within the limit", "[files]") {
  const fs::path file = "/proc/self/status";
  REQUIRE(fs::file_size(file) == 0);
  CHECK_THAT(read_file(file, 1 << 20), StartsWith("Name:"));
  CHECK_THROWS_WITH(read_file(file, 10), contains("more than 10 bytes"));
}

TEST_CASE("what is no regular file is refused by its kind, at once", "[files]") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH(read_file(folder.path(), 100), contains("is a directory, expected a regular file"));
  CHECK_THROWS_WITH(read_file("/dev/zero", 100), contains("is a device, expected a regular file"));
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(read_file(folder / "fifo", 100), contains("is a FIFO, expected a regular file"));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = (folder / "socket").string();
  REQUIRE(name.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK_THROWS_WITH(read_file(name, 100), contains("is a socket, expected a regular file"));
  close(socket);
  CHECK_THROWS_WITH(read_file(folder / "nothing", 100), contains("nothing': No such file"));
}

TEST_CASE("a file is written whole or stays as it was", "[files]") {
  const ScratchFolder folder;
  write_file_atomically(folder / "a", "first");
  write_file_atomically(folder / "a", "second");
  CHECK(read_file(folder / "a", 100) == "second");
  // A full disk: everything written to the temporary file goes to /dev/full.
  fs::create_symlink("/dev/full", folder / "a.tmp");
  CHECK_THROWS_WITH(write_file_atomically(folder / "a", "third"), contains("No space left"));
  CHECK(read_file(folder / "a", 100) == "second");
  CHECK(folder.files() == std::vector<std::string>{"a"});
  fs::create_directory(folder / "b");
  write(folder / "b" / "content", "");
  CHECK_THROWS_WITH(write_file_atomically(folder / "b", "x"), contains("cannot rename"));
  CHECK(folder.files() == std::vector<std::string>{"a", "b"});
  CHECK_THROWS_WITH(write_file_atomically(folder / "a" / "c", "x"), contains("cannot open"));
}

TEST_CASE("a pending file has its name only once it is committed", "[files]") {
  const ScratchFolder folder;
  {
    const PendingFile pending(folder / "a.png");
    CHECK(pending.path().extension() == ".png");
    write(pending.path(), "half");
    CHECK(!fs::exists(folder / "a.png"));
  }
  CHECK(folder.files().empty());
  PendingFile pending(folder / "a.png");
  CHECK_THROWS_WITH(pending.commit(), contains("nothing was written"));
  write(pending.path(), "whole");
  pending.commit();
  CHECK(read_file(folder / "a.png", 100) == "whole");
  CHECK(folder.files() == std::vector<std::string>{"a.png"});
  CHECK_THROWS_WITH(PendingFile(folder / "none" / "a.png"),
                    contains("none/a.png") && contains("No such file"));
}
