#include "datasets/image_lists.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/csv_split.h"
#include "datasets/names.h"
#include "datasets/regular_file.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

bool is_list_of(Split split, const std::string& filename) {
  const auto name = lower_case(filename);
  return name.ends_with(".csv") && split_named(name.substr(0, name.size() - 4)) == split;
}

struct List {
  std::string text, name;
  std::string inside;  // path in the source; "" beside it
};

std::string text_of(const std::vector<uint8_t>& bytes) { return std::string(bytes.begin(), bytes.end()); }

void require_one(Split split, const std::vector<std::string>& lists) {
  require(lists.size() < 2, "image_folder: there are ", lists.size(), " lists for ", split_name(split), ": ",
          some_of(lists), "; expected one");
}

// The list of this split, inside the source or beside it.
std::optional<List> find_list(const Contents& contents, Split split) {
  std::vector<std::string> found;
  for (const auto& path : contents.others) {
    if (is_list_of(split, parts_of(path).back())) found.push_back(path);
  }
  require_one(split, found);
  if (!found.empty()) {
    List list{.name = entry_name(contents.source, found[0]), .inside = found[0]};
    read_files(contents.source, found,
               [&](size_t, std::vector<uint8_t>&& bytes) { list.text = text_of(bytes); });
    return list;
  }
  const auto folder = fs::absolute(contents.source / "").parent_path().parent_path();
  std::error_code unreadable;  // a folder around the data need not be: then there is no list in it
  for (fs::directory_iterator at(folder, unreadable); !unreadable && at != fs::directory_iterator();
       at.increment(unreadable)) {
    if (is_list_of(split, at->path().filename().string())) found.push_back(at->path().string());
  }
  std::sort(found.begin(), found.end());
  require_one(split, found);
  if (found.empty()) return std::nullopt;
  return List{text_of(read_regular(found[0], printable(found[0]))), printable(found[0]), ""};
}

bool ends_in(const std::string& path, const std::string& end) {
  return path == end || path.ends_with("/" + end);
}

class ImageFinder {
 public:
  explicit ImageFinder(const Contents& contents) : contents_(contents) {
    for (const auto& path : contents.images) {
      const auto form = normal_form(path);
      folders_ |= form.find('/') != std::string::npos;
      by_name_[parts_of(form).back()].push_back({form, path});
    }
  }

  // Nothing if there is none.
  std::optional<std::string> find(const std::string& filename, const std::string& list) const {
    if (const auto found = find_clean(filename, list)) return found;
    if (filename.find('\\') == std::string::npos) return std::nullopt;
    auto with_slashes = filename;
    std::replace(with_slashes.begin(), with_slashes.end(), '\\', '/');
    return find_clean(with_slashes, list);
  }

 private:
  struct Image {
    std::string form, path;
  };

  std::optional<std::string> find_clean(const std::string& filename, const std::string& list) const {
    std::vector<std::string> parts;
    for (const auto& part : parts_of(normal_form(filename))) {
      if (part == ".." && !parts.empty()) {
        parts.pop_back();
      } else if (!part.empty() && part != "." && part != "..") {
        parts.push_back(part);
      }
    }
    if (parts.empty()) return std::nullopt;
    const auto named = by_name_.find(parts.back());
    if (named == by_name_.end()) return std::nullopt;
    const auto wanted = join(parts, "/");
    for (const auto& image : named->second) {
      if (image.form == wanted) return image.path;
    }
    const auto one = [&](const auto& matches) -> std::optional<std::string> {
      std::optional<std::string> found;
      for (const auto& image : named->second) {
        if (!matches(image.form)) continue;
        require(!found, "image_folder: ", list, " names ", printable(filename), ", which may be ",
                entry_name(contents_.source, found.value_or("")), " or ",
                entry_name(contents_.source, image.path));
        found = image.path;
      }
      return found;
    };
    if (const auto found = one([&](const auto& form) { return ends_in(form, wanted); })) return found;
    const auto outer = [&](const auto& form) {
      return (!folders_ || form.find('/') != std::string::npos) && ends_in(wanted, form);
    };
    if (const auto found = one(outer)) return found;
    const bool absolute = filename.starts_with('/') || (filename.size() > 2 && filename[1] == ':');
    if (!absolute) return std::nullopt;
    size_t most = 0;  // the longest end, in parts, that an image has: its name and a folder at least
    for (const auto& image : named->second) most = std::max(most, common_end(parts_of(image.form), parts));
    if (most < 2) return std::nullopt;
    return one([&](const auto& form) { return common_end(parts_of(form), parts) == most; });
  }

  static size_t common_end(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    const auto first = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first;
    return static_cast<size_t>(first - a.rbegin());
  }

  const Contents& contents_;
  bool folders_ = false;  // some image lies in one
  std::unordered_map<std::string, std::vector<Image>> by_name_;
};

}  // namespace

std::optional<Layout> read_lists(const Contents& contents) {
  if (!find_list(contents, Split::kTrain)) return std::nullopt;
  const ImageFinder finder(contents);
  Layout layout;
  std::set<std::string> taken;
  size_t absent = 0, all = 0;
  std::string example;
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const auto list = find_list(contents, split);
    if (!list) continue;
    if (!list->inside.empty()) layout.lists.push_back(list->inside);
    for (const auto& row : parse_labelled_files(list->text, list->name)) {
      ++all;
      auto& images = files_of(layout, split, row.label);  // a class without images stays: check() names it
      const auto path = finder.find(row.filename, list->name);
      if (!path) {
        ++absent;
        if (example.empty()) {
          example = concat("line ", row.line, " of ", parts_of(list->name).back(), " names ",
                           in_quotes(row.filename));
        }
        continue;
      }
      require(taken.insert(*path).second, "image_folder: ", list->name, " names ", printable(row.filename),
              ", which a row before it has named");
      images.push_back(*path);
    }
  }
  require(!taken.empty(), "image_folder: none of the ", all, " rows of the CSV files names an image of ",
          printable(contents.source.string()), ": ", example,
          ", and no image's path ends in that; an image here is ", in_quotes(contents.images.front()));
  for (const auto& path : contents.images) {
    if (!taken.contains(path)) layout.elsewhere.push_back(path);
  }
  layout.elsewhere_is = "in no list";
  layout.notes = concat("split by CSV files, ", all, " rows");
  if (absent > 0) {
    layout.notes += concat(", ", absent, " of them without an image here (", example, ")");
  }
  return layout;
}

}  // namespace innerloop
