#include "datasets/data_shape.h"

#include <algorithm>

#include "base/error.h"
#include "base/settings.h"
#include "datasets/checks.h"

namespace innerloop {
namespace {

class ShapeAlone : public Dataset {
 public:
  ShapeAlone(const std::string& name, const DataShape& shape) : classes_(shape.training_classes) {
    spec_.name = name;
    spec_.input = shape.input;
    spec_.classification = true;
  }

  const DatasetSpec& spec() const override { return spec_; }
  void check(Split, const EpisodeShape& shape) const override { require_shape(spec_, shape); }
  void draw(Split, const EpisodeShape&, Stream&, Episodes&, int64_t) const override {
    throw Error(concat(spec_.name, ": its images are not there, only their shape is known"));
  }
  int64_t classes(Split split) const override { return split == Split::kTrain ? classes_ : 0; }

 private:
  DatasetSpec spec_;
  int64_t classes_;
};

}  // namespace

DataShape data_shape(const Dataset& dataset) {
  if (!dataset.spec().classification) return {};
  return {dataset.spec().input, dataset.classes(Split::kTrain)};
}

std::string data_shape_text(const DataShape& shape) {
  if (!shape.known()) return "";
  std::vector<int64_t> numbers = shape.input;
  numbers.push_back(shape.training_classes);
  return keys::format_list(numbers);
}

DataShape parse_data_shape(const std::string& text, const std::string& owner) {
  if (text.empty()) return {};
  constexpr int64_t kMost = 100'000'000, kLargestSide = 20'000;
  std::vector<int64_t> numbers;
  require(keys::read_sizes(text, kMost, numbers) && numbers.size() == 4, owner, ": its data_shape is '",
          shortened(text), "', expected channels, height, width and training classes");
  require((numbers[0] == 1 || numbers[0] == 3) && std::max(numbers[1], numbers[2]) <= kLargestSide, owner,
          ": its data_shape is ", text, ", expected 1 or 3 channels of up to ", kLargestSide,
          " pixels a side");
  return {{numbers[0], numbers[1], numbers[2]}, numbers[3]};
}

std::unique_ptr<Dataset> dataset_of_shape(const std::string& name, const DataShape& shape) {
  require(shape.known(), "the data set ", name, " of no shape");
  return std::make_unique<ShapeAlone>(name, shape);
}

}  // namespace innerloop
