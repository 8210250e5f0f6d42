#include <functional>

#include "datasets/dataset.h"
#include "datasets/face_folder.h"
#include "datasets/image_folder.h"
#include "datasets/noisy_sine.h"
#include "datasets/omniglot.h"
#include "datasets/own_pictures.h"
#include "datasets/polynomial.h"
#include "datasets/rainbow_strokes.h"
#include "datasets/sine.h"
#include "datasets/strokes.h"
#include "datasets/styled_strokes.h"

namespace innerloop {
namespace {

constexpr int64_t kMostSamples = 10'000;  // per class, and classes per task

// What a sample is; of drawn characters ink is 1.
enum class Samples { kNumbers, kImages, kInk };

struct Entry : Row {
  Samples samples;
  std::function<std::unique_ptr<Dataset>(const DatasetConfig& config)> make;
  std::function<PictureRules(const DatasetConfig& config)> pictures;
};

template <class Settings>
PictureRules rules_of(const Settings& settings, Samples samples) {
  PictureRules rules{.ink = samples == Samples::kInk};
  if constexpr (requires { settings.mean; }) {
    rules.mean = settings.mean;
    rules.std = settings.std;
  }
  if constexpr (requires { settings.crop; }) {
    rules.crop = settings.crop == "center";
    rules.upright = settings.exif;
  }
  return rules;
}

template <class Settings>
Entry row(const char* name, const char* description, Samples samples, const Keys<Settings>& keys,
          std::unique_ptr<Dataset> (*make)(const Settings&)) {
  const auto read = [&keys](const DatasetConfig& config) {
    return keys.read(config.own, "data set " + config.name, "dataset");
  };
  return {{name, description, keys.list()},
          samples,
          [make, read](const DatasetConfig& config) { return make(read(config)); },
          [read, samples](const DatasetConfig& config) { return rules_of(read(config), samples); }};
}

// Adding a data set: write datasets/NAME.{h,cpp}, add its line here, run `datasets_tests "[contract]"`.
const std::vector<Entry>& table() {
  static const std::vector<Entry> entries{
      row("sine", kSineDescription, Samples::kNumbers, kSineKeys, make_sine),
      row("noisy_sine", kNoisySineDescription, Samples::kNumbers, kNoisySineKeys, make_noisy_sine),
      row("polynomial", kPolynomialDescription, Samples::kNumbers, kPolynomialKeys, make_polynomial),
      row("omniglot", kOmniglotDescription, Samples::kInk, kOmniglotKeys, make_omniglot),
      row("image_folder", kImageFolderDescription, Samples::kImages, image_folder_keys(), make_image_folder),
      row("face_folder", kFaceFolderDescription, Samples::kImages, kFaceFolderKeys, make_face_folder),
      row("strokes", kStrokesDescription, Samples::kInk, kStrokesKeys, make_strokes),
      row("rainbow_strokes", kRainbowStrokesDescription, Samples::kImages, kRainbowStrokesKeys,
          make_rainbow_strokes),
      row("styled_strokes", kStyledStrokesDescription, Samples::kImages, kStyledStrokesKeys,
          make_styled_strokes),
  };
  return entries;
}

}  // namespace

std::vector<Row> datasets() { return rows_of(table()); }

bool holds_images(const std::string& dataset) {
  return find_named("data set", table(), dataset).samples != Samples::kNumbers;
}

PictureRules picture_rules(const DatasetConfig& config) {
  require_usage(holds_images(config.name), "the data set ", config.name, " is not one of pictures");
  return find_named("data set", table(), config.name).pictures(config);
}

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
