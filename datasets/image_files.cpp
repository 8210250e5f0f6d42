#include "datasets/image_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/image_decode.h"
#include "datasets/image_reader.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

// Only links lead to one file by two paths, and they may put it into two classes or splits.
void require_distinct(const fs::path& source, const std::vector<std::string>& files,
                      const std::string& owner) {
  if (!fs::is_directory(source)) return;
  std::map<std::pair<dev_t, ino_t>, const std::string*> known;
  for (const auto& file : files) {
    struct stat status {};
    if (::stat((source / file).c_str(), &status) != 0) continue;  // whoever reads it is told
    const auto [first, added] = known.emplace(std::pair{status.st_dev, status.st_ino}, &file);
    require(added, owner, ": ", entry_name(source, *first->second), " and ", entry_name(source, file),
            " are one file (by links)");
  }
}

// Takes the damaged images out of the block, and fills the store with the others and their classes.
void fill_store(const Layout& layout, PixelBlock block, ImageStore& store) {
  store.channels = block.channels;
  store.height = block.height;
  store.width = block.width;
  store.encoded = block.encoded;
  const int64_t size = store.image_bytes();
  int64_t from = 0, to = 0;
  auto damaged = block.damaged.begin();
  for (size_t split = 0; split < layout.classes.size(); ++split) {
    for (const auto& [form, labelled] : layout.classes[split]) {
      ImageClass c{printable(labelled.name), to, 0};
      for (size_t i = 0; i < labelled.files.size(); ++i, ++from) {
        if (damaged != block.damaged.end() && *damaged == static_cast<uint64_t>(from)) {
          ++damaged;
          continue;
        }
        const auto image = block.pixels.begin() + from * size;
        if (from != to) std::copy(image, image + size, block.pixels.begin() + to * size);
        ++to;
        ++c.count;
      }
      store.classes[split].push_back(std::move(c));
    }
  }
  block.pixels.resize(static_cast<size_t>(to * size));
  store.pixels = std::move(block.pixels);
}

constexpr size_t kNamed = 20;  // of what was left out

}  // namespace

Contents find_images(const fs::path& source, const std::string& owner, const std::string& origin) {
  Contents contents{.source = source};
  auto listing = list_files(source);
  contents.skipped = std::move(listing.skipped);
  for (auto& path : listing.files) {
    (is_image_name(path) ? contents.images : contents.others).push_back(std::move(path));
  }
  if (!contents.images.empty()) return contents;
  std::vector<std::string> archives;
  for (const auto& path : contents.others) {
    if (path.find('/') == std::string::npos && is_archive_name(path)) archives.push_back(path);
  }
  if (fs::is_directory(source) && archives.size() == 1)
    return find_images(source / archives.front(), owner, origin);
  const auto found = some_of(contents.others);
  throw Error(concat(owner, ": ", printable(source.string()),
                     " holds no image (.png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff) and ", archives.size(),
                     " archives", found.empty() ? "" : "; it holds " + found, ".\n", origin));
}

StoredImages store_images(const Contents& contents, const Layout& layout, const PixelRules& rules,
                          const std::string& owner) {
  ImageSource source{.path = contents.source};
  for (const auto& classes : layout.classes) {
    for (const auto& [form, labelled] : classes) {
      source.files.insert(source.files.end(), labelled.files.begin(), labelled.files.end());
    }
  }
  require_distinct(source.path, source.files, owner);
  auto block = read_images(owner, {source}, rules);
  StoredImages out;
  for (const uint64_t index : block.damaged) out.damaged.push_back(source.files.at(index));
  fill_store(layout, std::move(block), out.store);
  return out;
}

std::string left_out(const std::vector<std::string>& names, const std::string& what) {
  return names.empty() ? "" : concat("; ", names.size(), " ", what, ": ", some_of(names, kNamed));
}

}  // namespace innerloop
