// What `innerloop predict` was asked, and what it is asked of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runners/command_line.h"
#include "runners/experiment/adapted_file.h"
#include "runners/experiment/picture_files.h"
#include "runners/experiment/predictor.h"

namespace innerloop {

struct PredictionRequest {
  const CommandLine& line;
  Predictor& predictor;
  std::optional<AdaptedFile> adapted;  // of --adapted

  std::vector<std::string> queries() const;

  // With --save.
  void save(const std::vector<std::string>& classes, const std::string& pictures) const;
};

// Adapts, predicts, prints and writes: pictures of classes, and points of a regression.
void predict_pictures(const PredictionRequest& request, const SupportFolder& support);
void predict_points(const PredictionRequest& request);

void tell_written(const std::string& file);  // "wrote FILE"

}  // namespace innerloop
