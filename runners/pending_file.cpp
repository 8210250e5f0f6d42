#include "runners/pending_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/error.h"

namespace innerloop {
namespace {

void sync(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(descriptor >= 0, "cannot open ", path, ": ", std::strerror(errno));
  const int failed = ::fsync(descriptor) != 0 ? errno : 0;
  ::close(descriptor);
  require(failed == 0, "cannot write ", path, " to disk: ", std::strerror(failed));
}

}  // namespace

PendingFile::PendingFile(std::filesystem::path target) : target_(std::move(target)) {
  const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  path_ = folder / concat(".", target_.stem().string(), ".", ::getpid(), target_.extension().string());
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  require(descriptor >= 0, "cannot write ", target_, ": ", std::strerror(errno));
  ::close(descriptor);
}

PendingFile::~PendingFile() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

void PendingFile::commit() {
  std::error_code error;
  const auto size = std::filesystem::file_size(path_, error);
  require(!error && size > 0, "cannot write ", target_, ": nothing was written");
  sync(path_);
  std::filesystem::rename(path_, target_, error);
  require(!error, "cannot write ", target_, ": ", error.message());
  path_.clear();
}

}  // namespace innerloop
