// Published results of few-shot regression and classification, to stand beside ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runners/config.h"

namespace innerloop {

inline constexpr int64_t kNotStated = -1;

struct PublishedCell {
  std::string dataset;  // "sine", "omniglot" or "mini_imagenet"
  int64_t ways = 1, shots = 1;
  std::string method;  // see published_method()
  int64_t step = 0;    // gradient steps at test time, or kNotStated
  double value = 0;    // accuracy from 0 to 1, or mean squared error
  double ci95 = 0;     // half-width; 0: not given
  std::string source;
};

const std::vector<PublishedCell>& published_cells();  // the table

// The data set as the table names it: a folder of images whose path says mini-ImageNet is "mini_imagenet".
std::string published_dataset(const DatasetConfig& dataset);

// By what the keys say, whatever the algorithm's name: "maml", "fomaml" (first order), "meta_sgd", "joint"
// (pretrained, then fine-tuned), "oracle"; for images " without convolutions" follows where the network has
// none.
std::string published_method(const ExperimentConfig& config);

// What plain methods reach on the same tasks, by method ("nearest neighbour"); empty if not published.
std::vector<PublishedCell> find_published_baseline(const ExperimentConfig& config, const EpisodeShape& shape,
                                                   const std::string& method);

// The cells of this configuration's data set, method and shape, by step.
std::vector<PublishedCell> find_published(const ExperimentConfig& config, const EpisodeShape& shape);

// The protocol behind a cell of Finn et al. 2017, or "": that of another paper is not described here.
std::string published_protocol(const PublishedCell& cell);

// What this configuration does otherwise than the protocol of Finn et al. 2017 or, where the two disagree,
// their code: "meta.batch_size 8 instead of 32".
std::vector<std::string> protocol_differences(const ExperimentConfig& config, const EpisodeShape& shape,
                                              int64_t meta_iterations);

}  // namespace innerloop
