#include "datasets/regular_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

const char* kind_name(fs::file_type type) {
  switch (type) {
    case fs::file_type::directory:
      return "a folder";
    case fs::file_type::fifo:
      return "a named pipe";
    case fs::file_type::socket:
      return "a socket";
    case fs::file_type::block:
    case fs::file_type::character:
      return "a device";
    default:
      return "something else";
  }
}

}  // namespace

void require_regular(const fs::path& path, const std::string& name) {
  std::error_code error;
  const auto type = fs::status(path, error).type();
  require(type != fs::file_type::not_found, "cannot read ", name, ": no such file");
  require(type != fs::file_type::none, "cannot read ", name, ": ", error.message());
  require(type == fs::file_type::regular, "cannot read ", name, ": it is ", kind_name(type),
          ", expected a regular file");
}

std::vector<uint8_t> read_regular(const fs::path& path, const std::string& name) {
  require_regular(path, name);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  require(file.is_open(), "cannot read ", name, ": ", std::strerror(errno));
  const auto size = file.tellg();
  require(size >= 0, "cannot read ", name);
  std::vector<uint8_t> bytes(static_cast<size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), size);
  require(file.gcount() == size, "cannot read ", name);
  return bytes;
}

}  // namespace innerloop
