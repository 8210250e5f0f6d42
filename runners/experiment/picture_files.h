// Pictures of a user's own: a support set in class folders, and queries.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace innerloop {

// FOLDER/CLASS/.../*.png (datasets/image_decode.h, is_image_name); class after class, by name.
struct SupportFolder {
  std::vector<std::string> classes;  // printable names, by label
  std::vector<std::filesystem::path> files;
  std::vector<int64_t> labels;  // of the files
  std::vector<int64_t> shots;   // pictures of each class
  int64_t ignored = 0;          // files that are no pictures, or lie in no class folder
};

// Error for a folder that is missing or holds fewer than two class folders, and for a class without pictures.
SupportFolder read_support_folder(const std::filesystem::path& folder);

struct QueryFile {
  std::filesystem::path file;
  // The class whose name the innermost folder of the path has that has one; nothing if none has.
  std::optional<int64_t> truth;
};

struct Queries {
  std::vector<QueryFile> files;
  int64_t ignored = 0;  // files in folders that are no pictures
};

// Of each word: a file, the pictures of a folder by name, or, of "-", what the lines of `list` name. Error
// for what does not exist, and if there is no picture at all.
Queries find_queries(const std::vector<std::string>& words, const std::vector<std::string>& classes,
                     std::istream& list);

}  // namespace innerloop
