// A file that exists under its own name only when it is whole.
#pragma once

#include <filesystem>

namespace innerloop {

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

  // Syncs the temporary file and renames it to the target. Error if it is missing or empty, or cannot be
  // synced.
  void commit();

 private:
  std::filesystem::path target_, path_;
};

}  // namespace innerloop
