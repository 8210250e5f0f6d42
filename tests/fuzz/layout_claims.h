// Folders and archives of images, from the listing to the bytes.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "datasets/archive.h"
#include "datasets/image_decode.h"
#include "datasets/image_layout.h"
#include "datasets/names.h"
#include "tests/fuzz/fuzz.h"

namespace innerloop::fuzz {

inline void claim_name(const std::string& path) {
  claim(!path.empty() && path.front() != '/', "a path inside is empty or absolute: " + path);
  claim_readable(in_quotes(path));
}

// Lists the source, reads every file, and finds classes and splits: each image has its place, once.
inline void try_images(const std::filesystem::path& source) {
  Listing listing;
  if (!taken([&] { listing = list_files(source); })) return;
  claim_readable(some_of(listing.skipped));
  Contents contents{.source = source, .skipped = listing.skipped};
  for (const auto& path : listing.files) {
    claim_name(path);
    (is_image_name(path) ? contents.images : contents.others).push_back(path);
  }
  size_t seen = 0;
  const auto count = [&](size_t i) { seen += i < listing.files.size() ? 1 : 0; };
  const bool whole = taken([&] {
    read_files(
        source, listing.files, [&](size_t i, std::vector<uint8_t>&&) { count(i); },
        [&](size_t i, const std::string& reason) {
          claim_readable(reason);
          count(i);
        });
  });
  claim(!whole || seen == listing.files.size(), "a file is neither read nor damaged");
  taken([&] { content_hash(source, listing.files); });
  if (contents.images.empty()) return;
  Layout layout;
  if (!taken([&] { layout = find_layout(contents, {}, false, "ORIGIN"); })) return;
  std::set<std::string> placed;
  const auto place = [&](const std::string& path) {
    claim(placed.insert(path).second, "an image has two places: " + path);
  };
  for (const auto& classes : layout.classes) {
    for (const auto& [form, labelled] : classes) {
      claim(normal_form(labelled.name) == form, "a class stands under another name");
      for (const auto& path : labelled.files) place(path);
    }
  }
  for (const auto& path : layout.elsewhere) place(path);
  claim(placed == std::set<std::string>(contents.images.begin(), contents.images.end()),
        "the layout has other images than the source");
  claim_readable(layout.notes);
}

}  // namespace innerloop::fuzz
