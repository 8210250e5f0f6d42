// One pass over an archive, by libarchive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct archive;

namespace innerloop {

// In bytes: a few kilobytes may be terabytes, packed.
inline constexpr size_t kLargestEntry = size_t{1} << 29;

class ArchiveReader {
 public:
  // Error unless `source` is a whole zip archive, or a tar archive, plain or compressed.
  explicit ArchiveReader(const std::filesystem::path& source, size_t largest_entry = kLargestEntry);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  struct Entry {
    std::string path;
    bool is_link = false;  // symbolic, or hard: its content stands elsewhere in the archive
  };

  // The next file or link; nothing behind the last one.
  std::optional<Entry> next();

  // Content of the file that next() has returned. Error that begins with `name` if it is damaged or has more
  // than largest_entry bytes.
  std::vector<uint8_t> read(const std::string& name);

 private:
  std::string source_;
  size_t largest_entry_;
  archive* archive_;
};

}  // namespace innerloop
