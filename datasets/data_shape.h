// A data set without its data: what networks that were trained on it are made by.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace innerloop {

// Of a data set with classes.
struct DataShape {
  std::vector<int64_t> input;    // of one sample, {channels, height, width}
  int64_t training_classes = 0;  // Dataset::classes of training

  bool known() const { return !input.empty(); }
};

// {} for a data set without classes.
DataShape data_shape(const Dataset& dataset);

// "1,28,28,1400": channels, height, width and training classes; "" if it is not known. Back: Error with
// `owner`, what the text stands in, for anything else.
std::string data_shape_text(const DataShape& shape);
DataShape parse_data_shape(const std::string& text, const std::string& owner);

// Stands for the data set `name` where no task is drawn: drawing is an Error that says so.
std::unique_ptr<Dataset> dataset_of_shape(const std::string& name, const DataShape& shape);

}  // namespace innerloop
