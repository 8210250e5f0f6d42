#include "datasets/image_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <utility>

#include "base/error.h"
#include "datasets/hash.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMagic = 0x326c7869706c6e69;  // "inlpixl2": a new layout of the file needs a new number

// The file: this, then `bytes` pixels, then `damaged` words.
struct Header {
  uint64_t magic = kMagic, content = 0, channels = 0, height = 0, width = 0, bytes = 0, encoded = 0,
           damaged = 0;
  uint64_t checksum = 0;  // over all of the above and what follows
};

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }

  uint64_t size() const {
    struct stat status {};
    return ::fstat(descriptor_, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  }

  bool read(void* to, size_t count) const {
    return transfer(count, [&](size_t done, size_t left) {
      return ::read(descriptor_, static_cast<char*>(to) + done, left);
    });
  }

  bool write(const void* from, size_t count) const {
    return transfer(count, [&](size_t done, size_t left) {
      return ::write(descriptor_, static_cast<const char*>(from) + done, left);
    });
  }

  // Network file systems tell of a full disk only here.
  bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  template <class Call>
  static bool transfer(size_t count, const Call& call) {
    for (size_t done = 0; done < count;) {
      const auto moved = call(done, count - done);
      if (moved < 0 && errno == EINTR) continue;
      if (moved <= 0) return false;
      done += static_cast<size_t>(moved);
    }
    return true;
  }

  int descriptor_;
};

uint64_t checksum(const Header& header, const PixelBlock& block) {
  Hash hash;
  for (const uint64_t word : {header.magic, header.content, header.channels, header.height, header.width,
                              header.bytes, header.encoded, header.damaged}) {
    hash.add(word);
  }
  hash.add(block.pixels.data(), block.pixels.size());
  for (const uint64_t index : block.damaged) hash.add(index);
  return hash.value();
}

// Nothing if there is no such file, or it is of other content. A line on stderr if it is damaged.
std::optional<PixelBlock> read_block(const fs::path& path, uint64_t content) {
  std::error_code error;
  const auto type = fs::status(path, error).type();
  if (type == fs::file_type::not_found) return std::nullopt;
  const auto again = [&](const char* why) {
    std::cerr << "the cached images " << printable(path.string()) << ' ' << why << " and are made again\n";
    return std::nullopt;
  };
  // Before it is opened: a pipe would wait for its writer.
  if (type != fs::file_type::regular) return again("are no regular file");
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::nullopt;
  Header header;
  if (!file.read(&header, sizeof header) || header.magic != kMagic) return again("are damaged");
  if (header.content != content) return std::nullopt;
  PixelBlock block{static_cast<int64_t>(header.channels), static_cast<int64_t>(header.height),
                   static_cast<int64_t>(header.width)};
  block.encoded = header.encoded;
  // The size of the file bounds what a damaged header can ask for.
  const uint64_t rest = file.size() - sizeof header;
  if (header.bytes > rest || header.damaged != (rest - header.bytes) / 8 || (rest - header.bytes) % 8 != 0) {
    return again("are damaged");
  }
  block.pixels.resize(header.bytes);
  block.damaged.resize(header.damaged);
  if (!file.read(block.pixels.data(), block.pixels.size()) ||
      !file.read(block.damaged.data(), 8 * block.damaged.size()) ||
      checksum(header, block) != header.checksum) {
    return again("are damaged");
  }
  return block;
}

// Not synced to disk: a file that a power cut tears fails its checksum.
void write_block(const fs::path& path, uint64_t content, const PixelBlock& block) {
  Header header{.content = content,
                .channels = static_cast<uint64_t>(block.channels),
                .height = static_cast<uint64_t>(block.height),
                .width = static_cast<uint64_t>(block.width),
                .bytes = block.pixels.size(),
                .encoded = block.encoded,
                .damaged = block.damaged.size()};
  header.checksum = checksum(header, block);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::string temporary = (path.parent_path() / ".innerloop_XXXXXX").string();
  File file(::mkstemp(temporary.data()));
  const bool written = file.is_open() && file.write(&header, sizeof header) &&
                       file.write(block.pixels.data(), block.pixels.size()) &&
                       file.write(block.damaged.data(), 8 * block.damaged.size()) && file.close() &&
                       std::rename(temporary.c_str(), path.c_str()) == 0;
  if (written) return;
  const int reason = errno;
  ::unlink(temporary.c_str());
  std::cerr << "decoded images are not kept for the next run: cannot write " << printable(path.string())
            << ": " << std::strerror(reason) << " (INNERLOOP_CACHE names another folder)\n";
}

}  // namespace

fs::path image_cache_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value != nullptr ? value : "");
  };
  if (const auto own = variable("INNERLOOP_CACHE"); !own.empty()) return own;
  if (const auto caches = variable("XDG_CACHE_HOME"); !caches.empty()) return caches / "innerloop";
  if (const auto home = variable("HOME"); !home.empty()) return home / ".cache" / "innerloop";
  return {};
}

PixelBlock cached_pixels(const CacheKey& key, const std::function<PixelBlock()>& build) {
  const auto folder = image_cache_folder();
  if (folder.empty()) return build();
  const auto path = folder / concat(key.name, "-", Hash().add(key.origin).hex(), ".bin");
  if (auto block = read_block(path, key.content)) return std::move(*block);
  auto block = build();
  write_block(path, key.content, block);
  return block;
}

}  // namespace innerloop
