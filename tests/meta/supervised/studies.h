// Small learners that studies of adaptation are tried on.
#pragma once

#include "meta/algorithms/registry.h"
#include "meta/supervised/supervised_meta_learner.h"

namespace innerloop {

inline SupervisedMetaConfig strokes_to_study(const std::string& batch_norm = "batch") {
  SupervisedMetaConfig config;
  config.dataset = {.name = "strokes", .own = {{"image_size", 14}}};
  config.shape = {.ways = 3, .shots = 1, .queries = 4};
  config.inner = {.steps = 2, .step_size = 0.1};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 4;
  config.network = {.name = "conv4", .batch_norm = batch_norm, .own = {{"filters", 4}}};
  return config;
}

inline SupervisedMetaConfig sine_to_study() {
  SupervisedMetaConfig config;
  config.inner = {.steps = 1, .step_size = 0.02};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 7;
  config.shape = {.ways = 1, .shots = 5, .queries = 30};
  config.network = {.name = "mlp", .initialization = "truncated_normal", .own = {{"hidden", "8,6"}}};
  return config;
}

struct Studied {
  ThreadPool pool;
  SupervisedMetaLearner learner;

  explicit Studied(const SupervisedMetaConfig& config, const std::string& algorithm = "maml", int threads = 2)
      : pool(threads, &Executor::prepare_thread), learner(config, find_algorithm(algorithm), pool) {
    for (int64_t i = 0; i < 2; ++i) learner.iterate(i);
  }
};

}  // namespace innerloop
