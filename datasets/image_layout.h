// Which images of a folder or an archive belong to which class, and which class to which split.
// The layouts: datasets/image_folder.h.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datasets/class_split.h"
#include "datasets/dataset.h"

namespace innerloop {

struct Contents {
  std::filesystem::path source;
  std::vector<std::string> images, others;  // paths inside
  std::vector<std::string> skipped;         // links that were not followed
};

struct LabelledFiles {
  std::string name;  // of the class, as it is written
  std::vector<std::string> files;
};
using ClassMap = std::map<std::string, LabelledFiles>;  // by normal_form(name)

struct Layout {
  std::array<ClassMap, 3> classes;     // by Split
  std::string notes;                   // for the protocol: where the split comes from
  std::vector<std::string> elsewhere;  // images that belong to no class
  std::string elsewhere_is;            // "outside train, val and test"
  std::vector<std::string> lists;      // files of the source that are not images, but read
};

// Train, training; val, valid, validation; test, testing: in capitals or not.
std::optional<Split> split_named(const std::string& name);

std::vector<std::string> parts_of(const std::string& path);

// The images of class `name` in this split, which may be none yet.
std::vector<std::string>& files_of(Layout& layout, Split split, const std::string& name);

// CLASS of a file name like CLASS_001.png, "CLASS (1).png" or CLASS.0.png: what stands before the last number
// and its separators; nothing if there is no number or nothing before it.
std::optional<std::string> class_in_name(const std::string& filename);

// From the folders of the source, from its CSV lists (datasets/image_lists.h), or from its classes, which
// `split` then shares out. Error that names `origin`, a sentence on the layouts, for anything else, and for a
// class that stands in two splits unless shared_classes.
Layout find_layout(const Contents& contents, const ClassSplit& split, bool shared_classes,
                   const std::string& origin);

}  // namespace innerloop
