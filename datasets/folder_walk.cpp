#include "datasets/folder_walk.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "base/error.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

using Identity = std::pair<dev_t, ino_t>;

class Walk {
 public:
  explicit Walk(const fs::path& root) { enter(root, "", false); }

  Listing take() { return std::move(listing_); }

 private:
  // `path` ends in no slash, `inside` is "" or ends in one. beneath_link: some link led here.
  void enter(const fs::path& path, const std::string& inside, bool beneath_link) {
    const auto identity = identity_of(path);
    around_.insert(identity);
    std::error_code error;
    fs::directory_iterator at(path, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error)) {
      const std::string name = at->path().filename().string();
      if (name.starts_with('.')) continue;
      std::error_code ignored;
      if (!at->is_directory(ignored)) {
        listing_.files.push_back(inside + name);
      } else if (!at->is_symlink(ignored) && !beneath_link) {
        enter(at->path(), inside + name + "/", false);
      } else {
        follow(at->path(), inside + name, beneath_link);
      }
    }
    require(!error, "cannot read the folder ", printable(path.string()), ": ", error.message());
    around_.erase(identity);
  }

  void follow(const fs::path& path, const std::string& inside, bool beneath_link) {
    if (!beneath_link) entered_.clear();
    const auto identity = identity_of(path);
    if (around_.contains(identity)) {
      listing_.skipped.push_back(inside + " (a link to a folder around it)");
    } else if (!entered_.insert(identity).second) {
      listing_.skipped.push_back(inside + " (a folder that another link has led to)");
    } else {
      enter(path, inside + "/", true);
    }
  }

  static Identity identity_of(const fs::path& path) {
    struct stat status {};
    require(::stat(path.c_str(), &status) == 0, "cannot read the folder ", printable(path.string()), ": ",
            std::strerror(errno));
    return {status.st_dev, status.st_ino};
  }

  Listing listing_;
  std::set<Identity> around_;   // the folders that the walk is in
  std::set<Identity> entered_;  // beneath the link that the walk came through first
};

}  // namespace

Listing walk_folder(const fs::path& folder) { return Walk(folder).take(); }

}  // namespace innerloop
