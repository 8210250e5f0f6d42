// Images from files or the cache to one block of pixels, and what is said of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/image_block.h"
#include "datasets/image_cache.h"
#include "datasets/image_store.h"

namespace innerloop {

// Where data lie, without a slash at the end: `path` itself, else `path` under the folder of the environment
// variable INNERLOOP_DATA; "" is `own` there. Error with `origin`, a sentence that says where to get the
// data, if there is nothing.
std::filesystem::path find_data(const std::string& dataset, const std::string& path, const std::string& own,
                                const std::string& origin);

// The images of all sources in the order of their files, decoded on all cores, or from the cache. Error that
// names the image if one is damaged or, with size 0, larger or smaller than the first.
// With skip_damaged it is an Error, too, if no image can be read.
PixelBlock read_images(const std::string& dataset, const std::vector<ImageSource>& sources,
                       const PixelRules& rules);

// For DatasetSpec::protocol: "64 / 16 / 20 classes with 12800 / 3200 / 4000 images (train / validation /
// test)", and "(pixel - mean 0.5) / std 0.25".
std::string describe_splits(const ImageStore& store);
std::string describe_normalisation(const std::vector<double>& mean, const std::vector<double>& std);

}  // namespace innerloop
