#include <functional>

#include "datasets/dataset.h"
#include "datasets/image_folder.h"
#include "datasets/omniglot.h"
#include "datasets/rainbow_strokes.h"
#include "datasets/sine.h"
#include "datasets/strokes.h"

namespace innerloop {
namespace {

constexpr int64_t kMostSamples = 10'000;  // per class, and classes per task

struct Entry : Row {
  bool images;
  std::function<std::unique_ptr<Dataset>(const DatasetConfig& config)> make;
};
constexpr bool kImages = true, kNumbers = false;  // what a sample is

template <class Settings>
Entry row(const char* name, const char* description, bool images, const Keys<Settings>& keys,
          std::unique_ptr<Dataset> (*make)(const Settings&)) {
  return {{name, description, keys.list()}, images, [make, &keys](const DatasetConfig& config) {
            return make(keys.read(config.own, "data set " + config.name, "dataset"));
          }};
}

// Adding a data set: write datasets/NAME.{h,cpp}, add its line here, run `datasets_tests "[contract]"`.
const std::vector<Entry>& table() {
  static const std::vector<Entry> entries{
      row("sine", kSineDescription, kNumbers, kSineKeys, make_sine),
      row("omniglot", kOmniglotDescription, kImages, kOmniglotKeys, make_omniglot),
      row("image_folder", kImageFolderDescription, kImages, image_folder_keys(), make_image_folder),
      row("strokes", kStrokesDescription, kImages, kStrokesKeys, make_strokes),
      row("rainbow_strokes", kRainbowStrokesDescription, kImages, kRainbowStrokesKeys, make_rainbow_strokes),
  };
  return entries;
}

}  // namespace

std::vector<Row> datasets() { return rows_of(table()); }

bool holds_images(const std::string& dataset) { return find_named("data set", table(), dataset).images; }

std::vector<Key> dataset_keys() {
  return {keys::choice("name", &DatasetConfig::name, names_of(table()), "distribution of tasks")};
}

std::vector<Key> shape_keys() {
  using C = EpisodeShape;
  return {keys::whole("ways", &C::ways, 1, kMostSamples, "classes of a task; regression: 1"),
          keys::whole("shots", &C::shots, 1, kMostSamples, "support samples per class"),
          keys::whole("queries", &C::queries, 1, kMostSamples, "query samples per class in training")};
}

std::unique_ptr<Dataset> make_dataset(const DatasetConfig& config) {
  return find_named("data set", table(), config.name).make(config);
}

}  // namespace innerloop
