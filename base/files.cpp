#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "base/error.h"

namespace innerloop {
namespace {

// One open file that knows its name; the system's reason goes into every error.
class File {
 public:
  File(std::filesystem::path path, int flags)
      : path_(std::move(path)), descriptor_(::open(path_.c_str(), flags | O_CLOEXEC, 0666)) {
    check(descriptor_ >= 0, "cannot open");
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  struct stat status() const {
    struct stat status {};
    check(::fstat(descriptor_, &status) == 0, "cannot inspect");
    return status;
  }

  // How many of `count` bytes were read: fewer at the end of the file alone.
  size_t read(char* to, size_t count) const {
    size_t done = 0;
    while (done < count) {
      const ssize_t got = ::read(descriptor_, to + done, count - done);
      if (got < 0 && errno == EINTR) continue;
      check(got >= 0, "cannot read");
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  void write(std::string_view content) const {
    while (!content.empty()) {
      const ssize_t count = ::write(descriptor_, content.data(), content.size());
      if (count < 0 && errno == EINTR) continue;
      check(count > 0, "cannot write");
      content.remove_prefix(static_cast<size_t>(count));
    }
  }

  void sync() const { check(::fsync(descriptor_) == 0, "cannot sync"); }

 private:
  void check(bool condition, const char* what) const {
    if (condition) return;
    const int reason = errno;
    throw Error(concat(what, " '", path_.string(), "': ", std::strerror(reason)));
  }

  std::filesystem::path path_;
  int descriptor_;
};

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "of an unknown kind";
}

void require_regular(const std::filesystem::path& file, mode_t mode) {
  require(S_ISREG(mode), "cannot read '", file.string(), "': it is ", kind_of(mode),
          ", expected a regular file");
}

// Renames, so that a crash of the machine right afterwards leaves the new name.
void rename_for_good(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  require(!error, "cannot rename '", from.string(), "' to '", to.string(), "': ", error.message());
  File(to.has_parent_path() ? to.parent_path() : ".", O_RDONLY | O_DIRECTORY).sync();
}

}  // namespace

std::string read_file(const std::filesystem::path& file, size_t limit) {
  struct stat found {};
  const bool exists = ::stat(file.c_str(), &found) == 0;
  require(exists, "cannot open '", file.string(), "': ", std::strerror(errno));
  require_regular(file, found.st_mode);
  // Opening a FIFO that took the file's place in the meantime must not wait for its other end.
  const File in(file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  const auto status = in.status();
  require_regular(file, status.st_mode);
  const auto size = static_cast<size_t>(status.st_size);
  require(size <= limit, "cannot read '", file.string(), "': it has ", size, " bytes, expected at most ",
          limit);
  std::string content(size, '\0');
  content.resize(in.read(content.data(), size));
  char more[4096];  // of a file that grows, or whose size the system does not know
  while (const size_t count = in.read(more, sizeof more)) {
    content.append(more, count);
    require(content.size() <= limit, "cannot read '", file.string(), "': it has more than ", limit, " bytes");
  }
  return content;
}

void write_file_atomically(const std::filesystem::path& file, std::string_view content) {
  std::filesystem::path temporary = file;
  temporary += ".tmp";
  try {
    const File out(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    out.write(content);
    out.sync();
    rename_for_good(temporary, file);
  } catch (const Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
}

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
  File(path_, O_RDONLY).sync();
  rename_for_good(path_, target_);
  path_.clear();
}

}  // namespace innerloop
