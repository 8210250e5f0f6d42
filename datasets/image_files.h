// From a folder or an archive of images and their layout (datasets/image_layout.h) to a store: what the data
// sets of one's own images share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/image_block.h"
#include "datasets/image_layout.h"
#include "datasets/image_store.h"

namespace innerloop {

// What lies there; a folder without images but with one archive stands for the archive. Error, in the name of
// the data set `owner` and with `origin`, a sentence on the layouts, where no image is found.
Contents find_images(const std::filesystem::path& source, const std::string& owner,
                     const std::string& origin);

struct StoredImages {
  ImageStore store;
  std::vector<std::string> damaged;  // files left out, under PixelRules::skip_damaged
};

// Reads the layout's images, class after class. Error for data that are damaged (unless skip_damaged) and for
// one file under two names (by links).
StoredImages store_images(const Contents& contents, const Layout& layout, const PixelRules& rules,
                          const std::string& owner);

// "; 3 WHAT: a, b, c", or "" of none.
std::string left_out(const std::vector<std::string>& names, const std::string& what);

}  // namespace innerloop
