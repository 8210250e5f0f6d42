// The chosen data set, the split and the shape of its tasks. No torch: configurations are read without it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/row.h"

namespace innerloop {

enum class Split { kTrain, kValidation, kTest };
std::string split_name(Split split);  // "train", "validation", "test"

struct EpisodeShape {
  int64_t ways = 1;      // classes of a task; 1 for regression
  int64_t shots = 10;    // support samples per class
  int64_t queries = 10;  // query samples per class
};

struct DatasetConfig {
  std::string name = "sine";  // see datasets()
  Texts own;                  // of the data set of this name
};

std::vector<Row> datasets();                    // the table
bool holds_images(const std::string& dataset);  // one of the table
std::vector<Key> dataset_keys();                // of DatasetConfig, but for `own`
std::vector<Key> shape_keys();                  // of EpisodeShape

}  // namespace innerloop
