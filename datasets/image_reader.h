// Images from files to one block of pixels.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/image_cache.h"
#include "datasets/image_store.h"

namespace innerloop {

inline constexpr int64_t kMixedSize = 84;

// How pixels come about. Sizes change by resize_lanczos (datasets/image_decode.h).
struct PixelRules {
  int64_t size = 0;      // pixels a side; 0 = as the images are if all have one size, else kMixedSize
  int64_t channels = 0;  // 1 or 3; 0 = grey if all images are, else red, green and blue
  bool invert = false;   // p becomes 255 - p
};

struct ImageSource {
  std::filesystem::path path;      // folder or zip archive
  std::vector<std::string> files;  // paths inside
};

// Where data lie: `path` itself, else `path` under the folder of the environment variable INNERLOOP_DATA; ""
// is `own` there. Error with `origin`, a sentence that says where to get the data, if there is nothing.
std::filesystem::path find_data(const std::string& dataset, const std::string& path, const std::string& own,
                                const std::string& origin);

// The images of all sources in the order of their files, decoded on all cores, or from the cache. Error that
// names the image if one is damaged or, with size 0, larger or smaller than the first.
PixelBlock read_images(const std::string& dataset, const std::vector<ImageSource>& sources,
                       const PixelRules& rules);

// For DatasetSpec::protocol: "64 / 16 / 20 classes with 12800 / 3200 / 4000 images (train / validation /
// test)", and "(pixel - mean 0.5) / std 0.25".
std::string describe_splits(const ImageStore& store);
std::string describe_normalisation(const DatasetConfig& config);

}  // namespace innerloop
