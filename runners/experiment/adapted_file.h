// What an adaptation leaves behind (`innerloop predict --save`, `innerloop act --save`): a safetensors file
// (runners/experiment/safetensors.h) that predicts, or acts, without the run and without the support set.
//
//   tensors   adapted/NAME      what the network or the policy reads after the last gradient step, [1, ...]
//             statistics/NAME   that normalise its inputs ("norm1.mean", "norm1.variance"); none where those
//             of
//                               the inputs themselves do, and where nothing is normalised
//           or, of a method that predicts by its support set (prototypical, matching, r2d2, ...):
//             meta/NAME, method/NAME   what was learned, as in a checkpoint (runners/experiment/checkpoint.h)
//             support/x, support/y     the support set as the network sees it, [1, samples, ...], and its
//             labels
//   metadata  format            "innerloop adaptation"
//             format_version    "1"
//             kind              "supervised" or "policy"
//             config            training_text() of the run's configuration, one "key = value" a line
//             data_shape        data_shape_text() of the data it was trained on (datasets/data_shape.h)
//             iteration         meta-iterations that it was trained for, a decimal number
//             steps, seed       of the adaptation, decimal numbers
//             classes           supervised: JSON list of the class names by label; [] of regression
//             pictures          "dark ink" or "light ink" of drawn characters, otherwise ""
//             task              policies: the task's parameters, "goal_x=0.3,goal_y=-0.2"
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "networks/tensors/params.h"
#include "runners/experiment/config.h"

namespace innerloop {

struct AdaptedFile {
  std::string kind = "supervised";
  std::string config;  // training_text()
  std::string data_shape = {};
  int64_t iteration = 0, steps = 0;
  uint64_t seed = 1;
  std::vector<std::string> classes = {};
  std::string pictures = {};
  std::string task = {};
  Params adapted = {}, statistics = {};
  Params meta = {}, method = {}, support = {};

  bool by_support() const { return adapted.empty(); }
};

// Whole or not at all (base/files.h).
void save_adapted(const std::filesystem::path& file, const AdaptedFile& content);

// Error that tells a missing file, one that is none of these, a newer, a truncated and a damaged one apart.
AdaptedFile load_adapted(const std::filesystem::path& file);

// The configuration that it was trained with, and `overrides` over it. Error if the text is none.
ExperimentConfig config_of(const AdaptedFile& content, const std::filesystem::path& file,
                           const std::vector<Setting>& overrides = {});

}  // namespace innerloop
