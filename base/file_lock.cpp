#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace innerloop {

int lock_file(const std::filesystem::path& file, const std::string& busy, const std::string& advice) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  require(descriptor >= 0, "cannot open '", file.string(), "': ", std::strerror(errno));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    char owner[32] = {};
    const ssize_t count = read(descriptor, owner, sizeof owner - 1);
    close(descriptor);
    require(reason == EWOULDBLOCK, "cannot lock '", file.string(), "': ", std::strerror(reason));
    throw Error(concat(busy, " is in use by process ", count > 0 ? owner : "(unknown)", ": ", advice));
  }
  const std::string pid = std::to_string(getpid());
  const bool written = ftruncate(descriptor, 0) == 0 &&
                       pwrite(descriptor, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  if (!written) {
    const int reason = errno;
    close(descriptor);
    throw Error(concat("cannot write '", file.string(), "': ", std::strerror(reason)));
  }
  return descriptor;
}

int wait_for_lock(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  require(descriptor >= 0, "cannot open '", file.string(), "': ", std::strerror(errno));
  while (flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
  }
  return descriptor;
}

bool is_locked(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(descriptor);
  return held;
}

}  // namespace innerloop
