#include "datasets/image_folder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/image_files.h"
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
  auto contents = find_images(find_data("image_folder", config.path, "", kOrigin), "image_folder", kOrigin);
  const auto layout = find_layout(contents, config.split, config.shared_classes, kOrigin);
  const bool crop = config.crop == "center";
  auto [store, damaged] = store_images(
      contents, layout,
      {.size = config.image_size, .crop = crop, .upright = config.exif, .skip_damaged = config.skip_damaged},
      "image_folder");
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
