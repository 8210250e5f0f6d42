// Folders of images with links and lists. An input is entries, each ended by a byte 0:
//   d PATH            a folder
//   f PATH \n TEXT    a file
//   l B PATH          a link to entry number B (a byte) of those before it, or to the folder of all
// Paths stay inside; what the file system does not take is left out.
#include <algorithm>
#include <fstream>

#include "tests/fuzz/layout_claims.h"
#include "tests/fuzz/scratch.h"

using namespace innerloop;
using namespace innerloop::fuzz;

namespace {

namespace fs = std::filesystem;

bool stays_inside(const std::string& path) {
  const auto parts = parts_of(path);
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return !part.empty() && part != "." && part != ".." && part.size() < 256;
  });
}

void make_entry(const fs::path& root, const std::string& entry, std::vector<fs::path>& made) {
  if (entry.size() < 3) return;
  const bool link = entry[0] == 'l', file = entry[0] == 'f';
  const std::string rest = entry.substr(link ? 2 : 1);
  const size_t end = file ? std::min(rest.find('\n'), rest.size()) : rest.size();
  const std::string path = rest.substr(0, end);
  if (!stays_inside(path)) return;
  std::error_code refused;
  fs::create_directories((root / path).parent_path(), refused);
  if (refused) return;
  if (file) {
    if (fs::exists(root / path, refused)) return;  // a link may lead to a folder
    std::ofstream(root / path, std::ios::binary) << rest.substr(std::min(end + 1, rest.size()));
  } else if (link) {
    const size_t target = static_cast<uint8_t>(entry[1]) % (made.size() + 1);
    fs::create_symlink(target == made.size() ? root : made[target], root / path, refused);
  } else {
    fs::create_directory(root / path, refused);
  }
  made.push_back(root / path);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostEntries = 40;
  const EmptyFolder folder;
  std::vector<fs::path> made;
  for (const auto& entry : Input(data, size).parts('\0', kMostEntries))
    make_entry(folder.path(), entry, made);
  try_images(folder.path());
  return 0;
}
