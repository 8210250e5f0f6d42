#include <algorithm>

#include "base/error.h"
#include "datasets/dataset.h"
#include "datasets/image_folder.h"
#include "datasets/omniglot.h"
#include "datasets/sine.h"
#include "datasets/strokes.h"

namespace innerloop {
namespace {

struct Entry {
  const char* name;
  const char* description;
  std::unique_ptr<Dataset> (*make)(const DatasetConfig& config);
  // The settings it knows; others must keep their defaults.
  bool files = false;         // path
  bool splits = false;        // splits
  bool images = false;        // image_size, mean, std
  bool observe_task = false;  // observe_task
};

// Adding a data set: write datasets/NAME.{h,cpp}, add its line here, run `datasets_tests "[contract]"`.
constexpr Entry kDatasets[] = {
    {.name = "sine", .description = kSineDescription, .make = make_sine, .observe_task = true},
    {.name = "omniglot",
     .description = kOmniglotDescription,
     .make = make_omniglot,
     .files = true,
     .splits = true,
     .images = true},
    {.name = "image_folder",
     .description = kImageFolderDescription,
     .make = make_image_folder,
     .files = true,
     .images = true},
    {.name = "strokes", .description = kStrokesDescription, .make = make_strokes, .images = true},
};

void refuse_unknown_settings(const Entry& entry, const DatasetConfig& config) {
  const DatasetConfig defaults;
  const auto refuse = [&](bool known, bool set, const char* key, const char* meaning) {
    require_usage(known || !set, "dataset.", key, ": ", entry.name, " does not know this setting (", meaning,
                  ")");
  };
  refuse(entry.files, config.path != defaults.path, "path", "where files are read from");
  refuse(entry.splits, config.splits != defaults.splits, "splits", "a choice of training and test classes");
  refuse(entry.images, config.image_size != defaults.image_size, "image_size", "pixels a side");
  refuse(entry.images, config.mean != defaults.mean, "mean", "of pixels");
  refuse(entry.images, config.std != defaults.std, "std", "of pixels");
  refuse(entry.observe_task, config.observe_task != defaults.observe_task, "observe_task",
         "the task as further inputs");
}

}  // namespace

std::vector<NamedDataset> datasets() {
  std::vector<NamedDataset> table;
  for (const auto& entry : kDatasets) table.push_back({entry.name, entry.description});
  return table;
}

std::unique_ptr<Dataset> make_dataset(const DatasetConfig& config) {
  const auto entry = std::find_if(std::begin(kDatasets), std::end(kDatasets),
                                  [&](const Entry& e) { return e.name == config.name; });
  if (entry == std::end(kDatasets)) {
    std::vector<std::string> known;
    for (const auto& e : kDatasets) known.emplace_back(e.name);
    throw UsageError(unknown_name("data set", config.name, known));
  }
  refuse_unknown_settings(*entry, config);
  return entry->make(config);
}

}  // namespace innerloop
