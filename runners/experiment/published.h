// Published results of few-shot regression and classification and of policies (configs/published.csv), to
// stand beside ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runners/experiment/config.h"

namespace innerloop {

inline constexpr int64_t kNotStated = -1;

// One line of the file.
struct PublishedCell {
  std::string dataset;  // as the literature calls it: "sine", "omniglot", "mini_imagenet"; or our environment
  int64_t ways = 1, shots = 1;  // policies: 1, and trajectories for each gradient step
  std::string algorithm;        // "maml"
  std::string config;           // the installed configuration that, with this algorithm, is the protocol
  int64_t step = 0;             // gradient steps at test time, or kNotStated
  double value = 0;             // accuracy from 0 to 1, mean squared error, or undiscounted return
  double interval = 0;          // half-width; 0: not given
  std::string interval_kind;    // what it is over: "tasks", "seeds", "images"; or "unknown"
  std::string source;
};

// Those of the installed file. Error with file and line for a line that cannot be read.
const std::vector<PublishedCell>& published_cells();
// Those of such a text; `name` is what errors call it.
std::vector<PublishedCell> parse_published(const std::string& text, const std::string& name);

// The cells that stand beside a result of this configuration, by step: those of its algorithm, data set, ways
// and shots. A data set of images is that of the cell's configuration if the folder or archive has the same
// name. Where there are several protocols (Omniglot with and without convolutions), those of the one that
// differs least.
std::vector<PublishedCell> find_published(const ExperimentConfig& config, const EpisodeShape& shape);

// The same for another algorithm on the same tasks ("nearest_neighbour").
std::vector<PublishedCell> find_published_baseline(const ExperimentConfig& config, const EpisodeShape& shape,
                                                   const std::string& algorithm);

// The returns that stand beside those of a policy, by step: of its algorithm and environment. Where nobody
// published first-order MAML, MAML's, with the algorithm among the differences.
std::vector<PublishedCell> find_published_returns(const ExperimentConfig& config);

// "configuration sine_5shot", and the algorithm where that is another than the configuration's.
std::string published_protocol(const PublishedCell& cell);

// What this configuration does otherwise than the cell's protocol: every key that determines the training or
// belongs to the evaluation, but for seeds, the cadence of validation and progress, and the place of the
// data. "meta.batch_size 8 instead of 32".
std::vector<std::string> protocol_differences(const ExperimentConfig& config, const PublishedCell& cell,
                                              int64_t meta_iterations);

// "otherwise here: A; B\n", in lines of at most 100 columns where they allow; nothing of no differences.
std::string differences_text(const std::vector<std::string>& differences);

}  // namespace innerloop
