// Small files: read whole and within a bound, written whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace innerloop {

// The content of a regular file of at most `limit` bytes. Error if it is missing or longer, and if `file` is
// a directory, a FIFO, a socket or a device (the message says which): it is not opened then, and never waited
// for.
std::string read_file(const std::filesystem::path& file, size_t limit);

// Writes a temporary file beside `file` (`file` with ".tmp" after it), syncs it, renames it and syncs the
// folder: `file` holds either its former content or the new one, whatever happens. On failure an Error says
// why and the temporary file is gone.
void write_file_atomically(const std::filesystem::path& file, std::string_view content);

// The same for a file that others write piece by piece: it exists under its own name only when it is whole.
// Names a temporary file beside `target` (same extension: encoders choose their format by it). Removed on
// destruction unless committed.
class PendingFile {
 public:
  explicit PendingFile(std::filesystem::path target);  // Error if the folder cannot be written
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::filesystem::path& target() const { return target_; }
  const std::filesystem::path& path() const { return path_; }  // where to write

  // Syncs the temporary file, renames it to the target and syncs the folder. Error if it is missing or empty,
  // or cannot be synced.
  void commit();

 private:
  std::filesystem::path target_, path_;
};

}  // namespace innerloop
