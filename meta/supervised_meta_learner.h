// Supervised meta-learning: one meta-iteration from episodes to updated meta-parameters, and the evaluation
// of what was learned (Finn et al. 2017, Alg. 2).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "datasets/dataset.h"
#include "meta/episode_task.h"
#include "meta/executor.h"
#include "meta/inner_loop.h"
#include "meta/meta_config.h"
#include "networks/network.h"

namespace innerloop {

struct SupervisedMetaConfig : MetaConfig {
  DatasetConfig dataset;
  EpisodeShape shape;  // of training; regression: ways = 1
  NetworkConfig network;
  std::string loss_reduction = "mean";  // or "sum_over_ways" (meta/episode_task.h)
};

struct SupervisedReport {
  int64_t iteration = 0;
  double query_loss = 0;  // after the inner steps, mean over tasks, as reduced
  // Accuracy or mean squared error after the inner steps, mean over tasks; NaN where it was not asked for.
  double query_metric = 0;
};

struct SupervisedEvaluationConfig {
  Split split = Split::kTest;
  int64_t tasks = 600;
  int64_t steps = 10;   // gradient steps; metrics are taken after 0..steps
  int64_t shots = 0;    // 0: as in training
  int64_t queries = 0;  // 0: as in training
  uint64_t seed = 1;
};

// Row i: task i; column k: accuracy or mean squared error on the query set after k gradient steps.
using TaskMetrics = std::vector<std::vector<double>>;

class SupervisedMetaLearner {
 public:
  SupervisedMetaLearner(const SupervisedMetaConfig& config, ThreadPool& pool);
  // On a data set of the caller's own instead of config.dataset.
  SupervisedMetaLearner(const SupervisedMetaConfig& config, std::unique_ptr<Dataset> dataset,
                        ThreadPool& pool);
  ~SupervisedMetaLearner();

  const SupervisedMetaConfig& config() const { return config_; }
  const Dataset& dataset() const { return *dataset_; }
  const Network& network() const { return *network_; }             // the one that evaluation adapts
  bool pretrains() const { return training_network_ != nullptr; }  // joint training of a classifier

  // Where adaptation to a new task starts: the meta-parameters, with a fresh last layer after pretraining.
  Params initialisation() const;

  // Meta-iteration `iteration` (0, 1, ...): a function of (meta-parameters, optimizer state, running
  // statistics, seed, iteration) alone. Error if a loss is not finite, naming task and inner step; the state
  // is then as before. `with_metric` costs another pass over the query sets and changes nothing else.
  SupervisedReport iterate(int64_t iteration, bool with_metric = false);

  const Params& meta_parameters() const { return meta_; }
  Params optimizer_state() const;  // with the running statistics ("running.*") of global_running
  void restore(const Params& meta, const Params& optimizer_state);  // Error naming what does not fit

  // Adapts to held-out tasks with streams of the split's own: the same tasks whatever was trained.
  // `progress(done)` after each block of tasks.
  TaskMetrics evaluate(const SupervisedEvaluationConfig& evaluation,
                       const std::function<void(int64_t done)>& progress = {}) const;

  // The episode of evaluation task `task` alone (T = 1), for plots.
  Episodes evaluation_episode(const SupervisedEvaluationConfig& evaluation, int64_t task) const;

  // Accuracy of 1-nearest-neighbour (Euclidean) on the same tasks, per task: on pixels, or on the features of
  // the network at the meta-learned initialisation. Classification only.
  std::vector<double> nearest_neighbour(const SupervisedEvaluationConfig& evaluation, bool on_features) const;

 private:
  Episodes training_episodes(int64_t iteration, int64_t first, int64_t count) const;
  EpisodeShape evaluation_shape(const SupervisedEvaluationConfig& evaluation) const;
  StreamKey evaluation_key(const SupervisedEvaluationConfig& evaluation, int64_t task) const;

  SupervisedMetaConfig config_;
  std::unique_ptr<Dataset> dataset_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Network> training_network_;  // over all training classes; null unless pretraining
  LossReduction reduction_;
  BatchNormMode mode_;
  Executor executor_;
  std::unique_ptr<InnerLoop> inner_;
  std::unique_ptr<MetaOptimizer> optimizer_;
  Params meta_;
  Params running_;  // global_running: averages over training; empty otherwise
};

}  // namespace innerloop
