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

class ArchiveReader {
 public:
  // Error unless `source` is a whole zip archive, or a tar archive, plain or compressed.
  explicit ArchiveReader(const std::filesystem::path& source);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  struct Entry {
    std::string path;
    bool is_link = false;  // symbolic, or hard: its content stands elsewhere in the archive
  };

  // The next file or link; nothing behind the last one.
  std::optional<Entry> next();

  // Content of the file that next() has returned. Error that begins with `name` if it is damaged.
  std::vector<uint8_t> read(const std::string& name);

 private:
  std::string source_;
  archive* archive_;
};

}  // namespace innerloop
