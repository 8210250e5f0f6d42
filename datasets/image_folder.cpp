#include "datasets/image_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/image_decode.h"
#include "datasets/image_layout.h"
#include "datasets/image_reader.h"
#include "datasets/image_store.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

constexpr char kOrigin[] =
    "image_folder reads images of your own from a folder or an archive (zip, tar, tar.gz): class folders "
    "with "
    "splits, train/CLASS/*.png (or .jpg, .webp, .bmp, .tif), val/CLASS/... and test/CLASS/...; images with "
    "train.csv, val.csv and test.csv (filename,label); or CLASS/*.png and CLASS_001.png, whose classes are "
    "shared out. mini-ImageNet and tieredImageNet are to be had from those who made them; their terms forbid "
    "passing them on.";

Contents contents_of(const fs::path& source) {
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
  if (fs::is_directory(source) && archives.size() == 1) return contents_of(source / archives.front());
  const auto found = some_of(contents.others);
  throw Error(concat("image_folder: ", printable(source.string()),
                     " holds no image (.png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff) and ", archives.size(),
                     " archives", found.empty() ? "" : "; it holds " + found, ".\n", kOrigin));
}

// Only links lead to one file by two paths, and they may put it into two classes or splits.
void require_distinct(const fs::path& source, const std::vector<std::string>& files) {
  if (!fs::is_directory(source)) return;
  std::map<std::pair<dev_t, ino_t>, const std::string*> known;
  for (const auto& file : files) {
    struct stat status {};
    if (::stat((source / file).c_str(), &status) != 0) continue;  // whoever reads it is told
    const auto [first, added] = known.emplace(std::pair{status.st_dev, status.st_ino}, &file);
    require(added, "image_folder: ", entry_name(source, *first->second), " and ", entry_name(source, file),
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

// "; 3 WHAT: a, b, c", or "" of none.
std::string left_out(const std::vector<std::string>& names, const std::string& what) {
  return names.empty() ? "" : concat("; ", names.size(), " ", what, ": ", some_of(names, kNamed));
}

}  // namespace

const Keys<ImageFolderConfig>& image_folder_keys() {
  using C = ImageFolderConfig;
  const auto read_split_seed = [](const std::string& text, ClassSplit& split) {
    return keys::read_seed(text, split.seed);
  };
  static const Keys<C> list{with_pixel_keys<C>(
      {keys::free(keys::text("path", &C::path, "a path without #", true, kPathMeaning)),
       keys::choice("crop", &C::crop, {"stretch", "center"},
                    "how an image becomes a square: whatever its aspect, or cut to its middle"),
       keys::truth("exif", &C::exif, "turn images upright as their Exif data say"),
       keys::truth("skip_damaged", &C::skip_damaged, "leave out images that cannot be read, and name them"),
       keys::make("split", &C::split, "training, validation and test, of the classes of data without splits",
                  "three shares separated by commas", keys::read_shares, keys::format_shares),
       keys::make("split_seed", &C::split, "another one, other classes in each split",
                  "a whole number, at least 0", read_split_seed,
                  [](const ClassSplit& split) { return format_number(split.seed); }),
       keys::truth("shared_classes", &C::shared_classes,
                   "a class may stand in several splits, with other images in each")})};
  return list;
}

std::unique_ptr<Dataset> make_image_folder(const ImageFolderConfig& config) {
  require_usage(config.image_size >= 0, "dataset.image_size is ", config.image_size, ", expected 0 or more");
  require_usage(config.crop == "stretch" || config.crop == "center",
                "dataset.crop: ", unknown_name("way to a square", config.crop, {"stretch", "center"}));
  split_sizes(1, config.split);
  auto contents = contents_of(find_data("image_folder", config.path, "", kOrigin));
  const auto layout = find_layout(contents, config.split, config.shared_classes, kOrigin);
  ImageSource source{.path = contents.source};
  for (const auto& classes : layout.classes) {
    for (const auto& [form, labelled] : classes) {
      source.files.insert(source.files.end(), labelled.files.begin(), labelled.files.end());
    }
  }
  require_distinct(source.path, source.files);
  const bool crop = config.crop == "center";
  auto block = read_images(
      "image_folder", {source},
      {.size = config.image_size, .crop = crop, .upright = config.exif, .skip_damaged = config.skip_damaged});
  std::vector<std::string> damaged;
  for (const uint64_t index : block.damaged) damaged.push_back(source.files.at(index));
  ImageStore store;
  fill_store(layout, std::move(block), store);

  std::erase_if(contents.others, [&](const std::string& path) {
    return std::find(layout.lists.begin(), layout.lists.end(), path) != layout.lists.end();
  });
  DatasetSpec spec{.name = "image_folder", .description = kImageFolderDescription};
  spec.protocol = concat(
      printable(contents.source.filename().string()), ", ", layout.notes, "; ", describe_splits(store), "; ",
      store.height, " x ", store.width, store.channels == 1 ? " grey" : " RGB",
      ", other sizes resized by Lanczos",
      crop ? " to their shorter side and cut to the middle" : " and stretched",
      config.exif ? ", upright by Exif; " : ", Exif orientation ignored; ",
      describe_normalisation(config.mean, config.std), left_out(damaged, "damaged images left out"),
      left_out(layout.elsewhere, concat("images ", layout.elsewhere_is, " ignored")),
      left_out(contents.others, "other files ignored"), left_out(contents.skipped, "links not followed"));
  return make_image_episodes(std::move(spec), std::move(store), config.mean, config.std);
}

}  // namespace innerloop
