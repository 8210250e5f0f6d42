#include "datasets/image_folder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/csv_split.h"
#include "datasets/image_decode.h"
#include "datasets/image_reader.h"
#include "datasets/image_store.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

constexpr char kOrigin[] =
    "image_folder reads images of your own, a folder or a zip archive: SPLIT/CLASS/*.png or *.jpg with the "
    "splits "
    "train, val and test, or images with train.csv, val.csv and test.csv (filename,label). mini-ImageNet and "
    "tieredImageNet are to be had from those who made them; their terms forbid passing them on.";

using ClassFiles = std::map<std::string, std::vector<std::string>>;

struct Layout {
  std::array<ClassFiles, 3> classes;  // by Split: the images of each class
  std::string notes;                  // for the protocol
  size_t lists_inside = 0;            // files of the source that are not images, but read
};

struct Contents {
  fs::path source;
  std::vector<std::string> images, others;
};

std::optional<Split> split_named(const std::string& name) {
  if (name == "train") return Split::kTrain;
  if (name == "val" || name == "validation") return Split::kValidation;
  if (name == "test") return Split::kTest;
  return std::nullopt;
}

Contents contents_of(const fs::path& source) {
  Contents contents{.source = source};
  for (auto& path : list_files(source)) {
    (is_image_name(path) ? contents.images : contents.others).push_back(std::move(path));
  }
  if (!contents.images.empty()) return contents;
  std::vector<std::string> archives;
  for (const auto& path : contents.others) {
    if (path.find('/') == std::string::npos && path.ends_with(".zip")) archives.push_back(path);
  }
  if (fs::is_directory(source) && archives.size() == 1) return contents_of(source / archives.front());
  throw Error(concat("image_folder: ", source.string(), " holds no image (.png, .jpg, .jpeg) and ",
                     archives.size(), " zip archives.\n", kOrigin));
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// How many folders stand around the splits: 0 or 1; nothing if there is no train folder.
std::optional<size_t> depth_of_splits(const std::vector<std::string>& images) {
  std::set<std::string> tops;
  bool second = false;
  for (const auto& path : images) {
    const auto parts = parts_of(path);
    if (parts.size() > 1 && parts[0] == "train") return 0;
    tops.insert(parts[0]);
    second |= parts.size() > 2 && parts[1] == "train";
  }
  return second && tops.size() == 1 ? std::optional<size_t>(1) : std::nullopt;
}

Layout read_folders(const Contents& contents, size_t depth) {
  Layout layout;
  size_t elsewhere = 0;
  for (const auto& path : contents.images) {
    const auto parts = parts_of(path);
    const auto split = depth < parts.size() ? split_named(parts[depth]) : std::nullopt;
    if (!split) {
      ++elsewhere;
      continue;
    }
    require(parts.size() > depth + 2, "image_folder: ", entry_name(contents.source, path),
            " lies in no class folder, expected ", parts[depth], "/CLASS/", parts.back());
    layout.classes[static_cast<size_t>(*split)][parts[depth + 1]].push_back(path);
  }
  layout.notes = "split by folders";
  if (elsewhere > 0) layout.notes += concat("; ", elsewhere, " images outside train, val and test ignored");
  return layout;
}

struct List {
  std::string text, name;
  bool inside = false;
};

// The list of this name, inside the source or beside it.
std::optional<List> find_list(const Contents& contents, const std::string& name) {
  for (const auto& path : contents.others) {
    if (path != name && !path.ends_with("/" + name)) continue;
    List list{.name = entry_name(contents.source, path), .inside = true};
    read_files(contents.source, {path},
               [&](size_t, std::vector<uint8_t>&& bytes) { list.text.assign(bytes.begin(), bytes.end()); });
    return list;
  }
  const auto beside = fs::absolute(contents.source / "").parent_path().parent_path() / name;
  std::ifstream file(beside);
  if (!file.is_open()) return std::nullopt;
  return List{std::string(std::istreambuf_iterator<char>(file), {}), beside.string()};
}

class ImageFinder {
 public:
  explicit ImageFinder(const Contents& contents) : contents_(contents) {
    for (const auto& path : contents.images) by_name_[parts_of(path).back()].push_back(path);
  }

  // The image whose path ends in `filename`; nothing if there is none.
  std::optional<std::string> find(const std::string& filename, const std::string& list) const {
    std::optional<std::string> found;
    const auto named = by_name_.find(parts_of(filename).back());
    if (named == by_name_.end()) return found;
    for (const auto& path : named->second) {
      if (path == filename) return path;
      if (!path.ends_with("/" + filename)) continue;
      require(!found, "image_folder: ", list, " names ", filename, ", which may be ",
              entry_name(contents_.source, found.value_or("")), " or ", entry_name(contents_.source, path));
      found = path;
    }
    return found;
  }

 private:
  const Contents& contents_;
  std::unordered_map<std::string, std::vector<std::string>> by_name_;
};

std::optional<Layout> read_lists(const Contents& contents) {
  if (!find_list(contents, "train.csv")) return std::nullopt;
  const ImageFinder finder(contents);
  Layout layout;
  std::set<std::string> taken;
  size_t absent = 0, all = 0;
  for (const std::string name : {"train.csv", "val.csv", "validation.csv", "test.csv"}) {
    const auto list = find_list(contents, name);
    if (!list) continue;
    layout.lists_inside += list->inside ? 1 : 0;
    auto& classes = layout.classes[static_cast<size_t>(*split_named(name.substr(0, name.size() - 4)))];
    for (const auto& row : parse_labelled_files(list->text, list->name)) {
      ++all;
      auto& images = classes[row.label];  // a class without images stays: check() names it
      const auto path = finder.find(row.filename, list->name);
      if (!path) {
        ++absent;
        continue;
      }
      require(taken.insert(*path).second, "image_folder: ", list->name, " names ", row.filename,
              ", which a row before it has named");
      images.push_back(*path);
    }
  }
  require(!taken.empty(), "image_folder: none of the ", all, " rows of the CSV files names an image of ",
          contents.source.string());
  layout.notes = concat("split by CSV files, ", all, " rows");
  if (absent > 0) layout.notes += concat(", ", absent, " of them without an image here");
  return layout;
}

Layout layout_of(const Contents& contents) {
  if (const auto depth = depth_of_splits(contents.images)) return read_folders(contents, *depth);
  if (auto layout = read_lists(contents)) return *layout;
  std::set<std::string> tops;
  for (const auto& path : contents.images) tops.insert(parts_of(path)[0]);
  std::vector<std::string> found(tops.begin(), tops.end());
  if (found.size() > 5) found.resize(5), found.emplace_back("...");
  throw Error(concat("image_folder: ", contents.source.string(),
                     " has neither a folder train nor a train.csv in it or beside it; it holds ", join(found),
                     ".\n", kOrigin));
}

void require_disjoint(const Layout& layout) {
  std::map<std::string, Split> split_of;
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    for (const auto& [name, files] : layout.classes[static_cast<size_t>(split)]) {
      const auto [known, added] = split_of.emplace(name, split);
      require(added, "image_folder: class ", name, " stands in two splits, ", split_name(known->second),
              " and ", split_name(split));
    }
  }
}

}  // namespace

std::unique_ptr<Dataset> make_image_folder(const DatasetConfig& config) {
  require_usage(config.image_size >= 0, "dataset.image_size is ", config.image_size, ", expected 0 or more");
  const auto contents = contents_of(find_data("image_folder", config.path, "", kOrigin));
  auto layout = layout_of(contents);
  require_disjoint(layout);

  ImageSource source{.path = contents.source};
  ImageStore store;
  for (size_t split = 0; split < layout.classes.size(); ++split) {
    for (auto& [name, files] : layout.classes[split]) {
      store.classes[split].push_back(
          {name, static_cast<int64_t>(source.files.size()), static_cast<int64_t>(files.size())});
      std::move(files.begin(), files.end(), std::back_inserter(source.files));
    }
  }
  auto block = read_images("image_folder", {source}, {.size = config.image_size});
  store.channels = block.channels;
  store.height = block.height;
  store.width = block.width;
  store.pixels = std::move(block.pixels);

  DatasetSpec spec{.name = "image_folder", .description = kImageFolderDescription};
  spec.protocol =
      concat(contents.source.filename().string(), ", ", layout.notes, "; ", describe_splits(store), "; ",
             store.height, " x ", store.width, store.channels == 1 ? " grey" : " RGB",
             ", other sizes resized by Lanczos; ", describe_normalisation(config));
  if (const auto ignored = contents.others.size() - layout.lists_inside; ignored > 0) {
    spec.protocol += concat("; ", ignored, " other files ignored");
  }
  return make_image_episodes(std::move(spec), std::move(store), config.mean, config.std);
}

}  // namespace innerloop
