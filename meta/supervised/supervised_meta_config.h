// What the meta-training of a network on a data set is given, and its evaluation. No torch: configurations
// are read without it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset_config.h"
#include "meta/meta_config.h"
#include "networks/network_config.h"

namespace innerloop {

struct SupervisedMetaConfig : MetaConfig {
  DatasetConfig dataset;
  EpisodeShape shape;  // of training; regression: ways = 1
  // Above 0: every meta-iteration draws the shots of its tasks uniformly from shape.shots .. most_shots, and
  // their queries are what is left of shape.shots + shape.queries samples of a class (R2-D2's 1 to 9 of 10).
  // Validation and evaluation keep `shape`.
  int64_t most_shots = 0;
  NetworkConfig network;
  std::string loss_reduction = "mean";  // or "sum_over_ways" (meta/episode_task.h)
};

struct SupervisedEvaluationConfig {
  Split split = Split::kTest;
  int64_t tasks = 600;
  int64_t steps = 10;   // gradient steps; metrics are taken after 0..steps
  int64_t ways = 0;     // 0: as in training
  int64_t shots = 0;    // 0: as in training
  int64_t queries = 0;  // 0: as in training
  // Of the best on validation tasks, so many predict together (runners/experiment/supervised_job.h keeps
  // them).
  int64_t ensemble = 1;
  // Whether tasks may share samples. If not, there are as many as share none, at most `tasks`, and the
  // interval over them says how the mean varies with the data (Lafargue et al. 2024, arXiv 2409.02850).
  bool replacement = true;
  uint64_t seed = 1;
};

std::vector<Key> supervised_meta_keys();  // of SupervisedMetaConfig but for MetaConfig's and the rows' own
std::vector<Key> supervised_evaluation_keys();  // of SupervisedEvaluationConfig, but for the split

}  // namespace innerloop
