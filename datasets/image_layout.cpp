#include "datasets/image_layout.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/image_lists.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

using Paths = std::vector<std::vector<std::string>>;  // of images, in parts

Paths in_parts(const std::vector<std::string>& images) {
  Paths paths;
  for (const auto& path : images) paths.push_back(parts_of(path));
  return paths;
}

// Whether every image lies in one folder at this depth, the same for all.
bool common_folder(const Paths& paths, size_t depth) {
  return std::all_of(paths.begin(), paths.end(), [&](const auto& parts) {
    return parts.size() > depth + 1 && parts[depth] == paths.front()[depth];
  });
}

// Whether the folders at this depth are splits. One called train may also be a class, beside ship and truck.
bool splits_at(const Paths& paths, size_t depth) {
  bool train = false, others = false, strangers = false, directly = false;
  for (const auto& parts : paths) {
    if (parts.size() < depth + 2) continue;
    const auto split = split_named(parts[depth]);
    train |= split == Split::kTrain;
    others |= split && split != Split::kTrain;
    strangers |= !split;
    directly |= split == Split::kTrain && parts.size() == depth + 2;
  }
  return train && (others || !strangers || !directly);
}

// How many folders stand around the splits; nothing if there is no train folder.
std::optional<size_t> depth_of_splits(const std::vector<std::string>& images) {
  const auto paths = in_parts(images);
  for (size_t depth = 0;; ++depth) {
    if (splits_at(paths, depth)) return depth;
    if (!common_folder(paths, depth)) return std::nullopt;
  }
}

Layout read_folders(const Contents& contents, size_t depth) {
  Layout layout;
  const bool class_folders =
      std::any_of(contents.images.begin(), contents.images.end(), [&](const auto& path) {
        const auto parts = parts_of(path);
        return parts.size() > depth + 2 && split_named(parts[depth]);
      });
  for (const auto& path : contents.images) {
    const auto parts = parts_of(path);
    const auto split = depth + 1 < parts.size() ? split_named(parts[depth]) : std::nullopt;
    if (!split) {
      layout.elsewhere.push_back(path);
      continue;
    }
    const auto name = parts.size() > depth + 2 ? std::optional(parts[depth + 1])
                      : class_folders          ? std::nullopt
                                               : class_in_name(parts.back());
    require(name.has_value(), "image_folder: ", entry_name(contents.source, path),
            " lies in no class folder, expected ", printable(parts[depth]), "/CLASS/",
            printable(parts.back()), ", or nothing but file names that begin with their class, ",
            printable(parts[depth]), "/CLASS_001.png");
    files_of(layout, *split, *name).push_back(path);
  }
  layout.elsewhere_is = "outside train, val and test";
  layout.notes = class_folders ? "split by folders" : "split by folders, classes by file names";
  return layout;
}

// The images of each class: CLASS/.../*.png or, without any folder, CLASS_001.png; folders around all of them
// are passed over.
ClassMap read_classes(const Contents& contents, Layout& layout) {
  const auto paths = in_parts(contents.images);
  const auto all = [&](const auto& holds) { return std::all_of(paths.begin(), paths.end(), holds); };
  size_t depth = 0;
  bool flat = all([](const auto& parts) { return parts.size() == 1; });
  while (!flat && common_folder(paths, depth)) {
    const bool last = all([&](const auto& parts) { return parts.size() == depth + 2; });
    flat = last && all([](const auto& parts) { return class_in_name(parts.back()).has_value(); });
    if (last && !flat) break;
    ++depth;
  }
  ClassMap classes;
  for (const auto& path : contents.images) {
    const auto parts = parts_of(path);
    const auto name = flat                       ? class_in_name(parts.back())
                      : parts.size() > depth + 1 ? std::optional(parts[depth])
                                                 : std::nullopt;
    if (!name) {
      layout.elsewhere.push_back(path);
      continue;
    }
    auto& labelled = classes[normal_form(*name)];
    if (labelled.name.empty()) labelled.name = *name;
    labelled.files.push_back(path);
  }
  layout.notes = flat ? "classes by file names" : "classes by folders";
  layout.elsewhere_is = flat ? "whose names begin with no class" : "in no class folder";
  return classes;
}

Layout split_classes(const Contents& contents, const ClassSplit& split, const std::string& origin) {
  Layout layout;
  auto classes = read_classes(contents, layout);
  const auto count = static_cast<int64_t>(classes.size());
  const auto shares = concat(split.shares[0], ",", split.shares[1], ",", split.shares[2]);
  std::set<std::string> tops;
  for (const auto& path : contents.images) tops.insert(parts_of(path)[0]);
  const auto nothing = concat("image_folder: ", printable(contents.source.string()),
                              " has neither a folder train nor a train.csv in it or beside it; it holds ",
                              some_of({tops.begin(), tops.end()}, 5), ". ");
  require(split_sizes(count, split)[0] > 0, nothing, "Its ", count, " classes (", layout.notes,
          ") are too few to be shared out by dataset.split = ", shares, ".\n", origin);
  const auto splits = share_out(count, split);
  size_t i = 0;
  for (auto& [form, labelled] : classes) {
    const auto named = split_named(labelled.name);
    require(!named || named == Split::kTrain, nothing, "What is ", printable(labelled.name),
            ", a class or a split without training?\n", origin);
    layout.classes[static_cast<size_t>(splits[i++])].emplace(form, std::move(labelled));
  }
  layout.notes += concat(", split by class ", shares, " with seed ", split.seed);
  return layout;
}

void note_shared_classes(Layout& layout, bool allowed) {
  std::map<std::string, Split> split_of;
  std::set<std::string> shared;
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    for (const auto& [form, labelled] : layout.classes[static_cast<size_t>(split)]) {
      const auto [known, added] = split_of.emplace(form, split);
      require(added || allowed, "image_folder: class ", printable(labelled.name), " stands in two splits, ",
              split_name(known->second), " and ", split_name(split),
              "; if the test shall ask for classes known from training, set dataset.shared_classes = true");
      if (!added) shared.insert(form);
    }
  }
  if (!shared.empty()) layout.notes += concat(", ", shared.size(), " classes stand in several splits");
}

}  // namespace

std::optional<Split> split_named(const std::string& name) {
  const auto lower = lower_case(name);
  if (lower == "train" || lower == "training") return Split::kTrain;
  if (lower == "val" || lower == "valid" || lower == "validation") return Split::kValidation;
  if (lower == "test" || lower == "testing") return Split::kTest;
  return std::nullopt;
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

std::vector<std::string>& files_of(Layout& layout, Split split, const std::string& name) {
  auto& labelled = layout.classes[static_cast<size_t>(split)][normal_form(name)];
  if (labelled.name.empty()) labelled.name = name;
  return labelled.files;
}

std::optional<std::string> class_in_name(const std::string& filename) {
  constexpr char kDigits[] = "0123456789";
  const auto stem = filename.substr(0, filename.rfind('.'));
  const auto last = stem.find_last_of(kDigits);
  if (last == std::string::npos) return std::nullopt;
  const auto before = stem.find_last_not_of(kDigits, last);
  if (before == std::string::npos) return std::nullopt;
  const auto end = stem.find_last_not_of(" _-.([#", before);
  if (end == std::string::npos) return std::nullopt;
  return stem.substr(0, end + 1);
}

Layout find_layout(const Contents& contents, const ClassSplit& split, bool shared_classes,
                   const std::string& origin) {
  const auto depth = depth_of_splits(contents.images);
  auto layout = depth ? std::optional(read_folders(contents, *depth)) : read_lists(contents);
  if (!layout) layout = split_classes(contents, split, origin);
  note_shared_classes(*layout, shared_classes);
  return *layout;
}

}  // namespace innerloop
