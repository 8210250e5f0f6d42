// The queries on one sheet, each with what it was taken for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/own_pictures.h"
#include "networks/tensors/tensor.h"
#include "runners/experiment/predictions.h"

namespace innerloop {

struct PredictionSheet {
  std::string title, subtitle;
  std::vector<std::string> classes;
  std::vector<Prediction> predictions;
  torch::Tensor queries;          // as the network sees them, [1, N, channels, height, width]
  torch::Tensor support, labels;  // the same of the support set, [1, M, ...] and [1, M]; undefined: not shown
  PictureRules rules;             // by which they were read
};

// Pictures as the network sees them: a row of the support set's, the first of each class, then the queries,
// each with its class and confidence (green where it is right, red with the true class where not), up to 120.
// PNG or JPEG; UsageError for a name of another kind.
void write_sheet(const PredictionSheet& sheet, const std::filesystem::path& file);

// UsageError unless the name ends in .png or .jpg.
void require_picture_name(const std::filesystem::path& file);

}  // namespace innerloop
