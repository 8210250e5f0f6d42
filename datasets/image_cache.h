// Decoded images kept in the user's cache folder, so that the second run starts at once.
//
// The folder: $INNERLOOP_CACHE, else $XDG_CACHE_HOME/innerloop, else ~/.cache/innerloop. One file for each
// source and way of reading it; a changed source overwrites it. All of it has a checksum; a file that is
// stale or damaged, or no regular file, is built again. It is written under another name and then renamed:
// any number of processes may build it at once, and one that is killed leaves no half file under the name. A
// folder that cannot be written costs time only (one line on stderr).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace innerloop {

struct PixelBlock {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<uint8_t> pixels;    // [images][channels][height][width]
  uint64_t encoded = 0;           // hash over the bytes of the images' files, in their order
  std::vector<uint64_t> damaged;  // images that could not be read, by index; their pixels are 0
};

struct CacheKey {
  std::string name;      // of the data set; begins the file's name
  std::string origin;    // where the images come from and how they are read; decides the file's name
  uint64_t content = 0;  // hash of what was there; another one makes the file stale
};

std::filesystem::path image_cache_folder();  // "" if no home folder is known

// The block of this key from its file, or from build(), which is then written there. What build() throws
// passes through and leaves nothing behind.
PixelBlock cached_pixels(const CacheKey& key, const std::function<PixelBlock()>& build);

}  // namespace innerloop
