#include "runners/experiment/picture_files.h"

#include <algorithm>
#include <istream>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/image_decode.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

// The names of the entries of a folder by normal form, hidden ones left out.
std::vector<std::string> entries_of(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::string name = at->path().filename().string();
    if (!name.starts_with('.')) names.push_back(std::move(name));
  }
  require(!error, "cannot read the folder ", printable(folder.string()), ": ", error.message());
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(normal_form(a), a) < std::pair(normal_form(b), b);
  });
  return names;
}

std::optional<int64_t> class_of(const fs::path& file, const std::vector<std::string>& classes) {
  for (fs::path folder = file.parent_path(); folder.has_filename(); folder = folder.parent_path()) {
    const std::string name = printable(folder.filename().string());
    for (size_t c = 0; c < classes.size(); ++c) {
      if (normal_form(classes[c]) == normal_form(name)) return static_cast<int64_t>(c);
    }
  }
  return std::nullopt;
}

}  // namespace

SupportFolder read_support_folder(const fs::path& folder) {
  const std::string shown = printable(folder.string());
  std::error_code ignored;
  require(fs::is_directory(folder, ignored), "--support ", shown,
          fs::exists(folder, ignored) ? " is no folder" : " does not exist",
          ", expected a folder that holds one folder of pictures for each class: ", shown, "/CLASS/*.png");
  SupportFolder out;
  for (const auto& name : entries_of(folder)) {
    if (!fs::is_directory(folder / name, ignored)) {
      ++out.ignored;
      continue;
    }
    const auto label = static_cast<int64_t>(out.classes.size());
    int64_t shots = 0;
    for (const auto& file : list_files(folder / name).files) {
      if (!is_image_name(file)) {
        ++out.ignored;
        continue;
      }
      out.files.push_back(folder / name / file);
      out.labels.push_back(label);
      ++shots;
    }
    require(shots > 0, "--support ", shown, ": the class ", printable(name),
            " has no pictures (.png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff) in its folder; put at least one "
            "there, or take the folder away");
    out.classes.push_back(printable(name));
    out.shots.push_back(shots);
  }
  require(out.classes.size() >= 2, "--support ", shown, " holds ", out.classes.size(), " class folder",
          out.classes.size() == 1 ? " (" + out.classes.front() + ")" : "s",
          ", expected at least 2: one folder of pictures for each class, ", shown, "/CLASS/*.png");
  return out;
}

Queries find_queries(const std::vector<std::string>& words, const std::vector<std::string>& classes,
                     std::istream& list) {
  Queries out;
  std::error_code ignored;
  const auto add = [&](const fs::path& path) {
    require(fs::exists(path, ignored), "--query: no such file or folder: ", printable(path.string()));
    if (!fs::is_directory(path, ignored)) {
      out.files.push_back({path, class_of(path, classes)});
      return;
    }
    for (const auto& file : list_files(path).files) {
      if (is_image_name(file)) {
        out.files.push_back({path / file, class_of(path / file, classes)});
      } else {
        ++out.ignored;
      }
    }
  };
  for (const auto& word : words) {
    if (word != "-") {
      add(word);
      continue;
    }
    for (std::string line; std::getline(list, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) add(line);
    }
  }
  require(!out.files.empty(),
          "--query: ", words == std::vector<std::string>{"-"} ? "standard input" : join(words),
          " names no picture (.png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff)");
  return out;
}

}  // namespace innerloop
