// Places for what a reader opens by its name.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>

#include "tests/fuzz/fuzz.h"

namespace innerloop::fuzz {

// A regular file in memory, under a name in /proc, written anew for each input.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    claim(descriptor_ >= 0, "no file in memory");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void write(const std::string& bytes) const {
    const bool written = ftruncate(descriptor_, 0) == 0 && pwrite(descriptor_, bytes.data(), bytes.size(),
                                                                  0) == static_cast<ssize_t>(bytes.size());
    claim(written, "cannot write the file in memory");
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  int descriptor_;
  std::filesystem::path path_;
};

// A folder of this process (below $TMPDIR), without content at the beginning of a scope and gone at its end.
class EmptyFolder {
 public:
  EmptyFolder()
      : outer_(std::filesystem::temp_directory_path() / concat("innerloop_fuzz_", ::getpid())),
        path_(outer_ / "data") {
    std::filesystem::remove_all(outer_);
    std::filesystem::create_directories(path_);
  }
  ~EmptyFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(outer_, ignored);
  }
  EmptyFolder(const EmptyFolder&) = delete;
  EmptyFolder& operator=(const EmptyFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path outer_, path_;  // what lies beside the data is ours as well
};

}  // namespace innerloop::fuzz
