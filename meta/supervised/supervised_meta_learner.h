// Supervised meta-learning: one meta-iteration from episodes to updated meta-parameters, and the evaluation
// of what was learned (Finn et al. 2017, Alg. 2), whatever the algorithm.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory.h"
#include "base/thread_pool.h"
#include "datasets/dataset.h"
#include "meta/algorithm.h"
#include "meta/episode_task.h"
#include "meta/executor.h"
#include "meta/meta_optimizer.h"
#include "meta/method.h"
#include "meta/supervised/supervised_meta_config.h"

namespace innerloop {

struct SupervisedReport {
  int64_t iteration = 0;
  double query_loss = 0;  // after the inner steps, mean over tasks, as reduced
  // Accuracy or mean squared error after the inner steps, mean over tasks; NaN where it was not asked for.
  double query_metric = 0;
};

// Row i: task i; column k: accuracy or mean squared error on the query set after k gradient steps.
using TaskMetrics = std::vector<std::vector<double>>;

// What an evaluation found. Of classification also, for task i: which class each label stood for
// (Dataset::drawn_classes; empty where the data set does not tell), and the label that each query sample was
// given after the last step.
struct TaskOutcomes {
  TaskMetrics metrics;
  std::vector<std::vector<int64_t>> classes, predicted;
};

class SupervisedMetaLearner {
 public:
  // `algorithm`: a row of meta/algorithms/registry.h, or one of the caller's own. UsageError if it does not
  // know data sets.
  SupervisedMetaLearner(const SupervisedMetaConfig& config, const Algorithm& algorithm, ThreadPool& pool);
  // On a data set of the caller's own instead of config.dataset.
  SupervisedMetaLearner(const SupervisedMetaConfig& config, const Algorithm& algorithm,
                        std::unique_ptr<Dataset> dataset, ThreadPool& pool);
  ~SupervisedMetaLearner();

  const SupervisedMetaConfig& config() const { return config_; }
  const Dataset& dataset() const { return *dataset_; }
  const Method& method() const { return *method_; }
  const Network& network() const { return method_->network(/*training=*/false); }  // the one evaluation uses
  EpisodeShape evaluation_shape(const SupervisedEvaluationConfig& evaluation) const;

  // UsageError if the data set has no such tasks, or if what is learned is for another number of ways: the
  // meta-parameters of a method made for evaluation.ways must have the shapes of those trained.
  void check(const SupervisedEvaluationConfig& evaluation) const;

  // Meta-iteration `iteration` (0, 1, ...): a function of (meta-parameters, optimizer state, method state,
  // seed, iteration) alone. Error if a loss is not finite, naming task and inner step; the state is then as
  // before. `with_metric` costs another pass over the query sets and changes nothing else.
  SupervisedReport iterate(int64_t iteration, bool with_metric = false);

  const Params& meta_parameters() const { return meta_; }
  Params optimizer_state() const;
  Params method_state()
      const;  // the method's own, and the running statistics ("running.*") of global_running
  // Error naming what does not fit.
  void restore(const Params& meta, const Params& optimizer_state, const Params& method_state);
  // Replaces meta-parameters and method state alone: to use what was trained, or to start from it.
  void use(const Params& meta, const Params& method_state);
  // The same with the first of several, the mean of whose predictions (of classes: of their probabilities) is
  // what evaluate and predict take until another use() or restore().
  struct Learned {
    Params meta, method_state;
  };
  void use_ensemble(const std::vector<Learned>& members);

  // Adapts to held-out tasks with streams of the split's own: the same tasks whatever was trained.
  // `progress(done)` after each block of tasks.
  TaskMetrics evaluate(const SupervisedEvaluationConfig& evaluation,
                       const std::function<void(int64_t done)>& progress = {}) const;
  TaskOutcomes evaluate_in_full(const SupervisedEvaluationConfig& evaluation,
                                const std::function<void(int64_t done)>& progress = {}) const;

  // f for every evaluation task (T = 1), on all threads, what it returns in the order of the tasks; the
  // method is the one that fits the evaluation. `progress(done)` after each block of tasks.
  using TaskStudy = std::function<Params(const Method& method, const EpisodeTask& task, const Moment& now)>;
  std::vector<Params> for_each_task(const SupervisedEvaluationConfig& evaluation, const TaskStudy& f,
                                    const std::function<void(int64_t done)>& progress = {},
                                    int64_t block = 50) const;

  // How many tasks an evaluation has: evaluation.tasks, or as many of them as share no sample. UsageError if
  // the data set cannot tell.
  int64_t task_count(const SupervisedEvaluationConfig& evaluation) const;

  // The episode of evaluation task `task` alone (T = 1), and the network's outputs on its query set after 0,
  // 1, ... gradient steps.
  Episodes evaluation_episode(const SupervisedEvaluationConfig& evaluation, int64_t task) const;
  std::vector<torch::Tensor> predict(const Episodes& episode, const SupervisedEvaluationConfig& evaluation,
                                     int64_t task = 0) const;
  // f for an episode of the caller's own (T = 1), which takes the place of evaluation task `task`. Of its
  // classes, evaluation.ways, each may have another number of support samples, here and in predict().
  Params study(const Episodes& episode, const SupervisedEvaluationConfig& evaluation, const TaskStudy& f,
               int64_t task = 0) const;

  // What the network gives to its last layer of samples [1, N, input...], [1, N, F], with the meta-learned
  // parameters before a task is seen. On all threads, in blocks of some hundred samples: batch normalisation
  // is by each block's own statistics, or as in evaluation where averages over training are kept.
  torch::Tensor features(const torch::Tensor& x) const;

  // Accuracy of 1-nearest-neighbour (Euclidean) on the same tasks, per task: on pixels, or on the features of
  // the network at the meta-learned initialisation. Classification only.
  std::vector<double> nearest_neighbour(const SupervisedEvaluationConfig& evaluation, bool on_features) const;

 private:
  // Without replacement all tasks, otherwise none; and the episode of one (T = 1).
  std::vector<TaskSamples> disjoint_tasks(const SupervisedEvaluationConfig& evaluation) const;
  Episodes episode_of(const SupervisedEvaluationConfig& evaluation, const std::vector<TaskSamples>& disjoint,
                      int64_t task) const;
  struct Member {
    std::shared_ptr<const Method> method;
    Params meta, running;
  };
  // What predicts, the one in use first: made anew for other ways than in training, with what was learned.
  // Errors as check().
  std::vector<Member> members_for(const SupervisedEvaluationConfig& evaluation) const;
  Member member_for(const SupervisedEvaluationConfig& evaluation, Member trained) const;
  const Params* evaluation_statistics(const Member& member) const;
  EpisodeTask task_of(const Member& member, const Episodes& episode,
                      const SupervisedEvaluationConfig& evaluation) const;
  // The members' mean prediction on evaluation task `task`.
  std::vector<torch::Tensor> outputs(const std::vector<Member>& members, const Episodes& episode,
                                     const SupervisedEvaluationConfig& evaluation, int64_t task) const;
  // Error if the machine has less than what tasks of this shape take, so many of them in hand at a time and
  // so many gradients of each, beside its `results`.
  void require_room(const std::string& work, const EpisodeShape& shape, int64_t at_a_time, int64_t steps,
                    const MemoryNeed& results) const;

  SupervisedMetaConfig config_;
  Algorithm algorithm_;
  std::unique_ptr<Dataset> dataset_;
  LossReduction reduction_;
  BatchNormMode mode_;
  Executor executor_;
  std::unique_ptr<Method> method_;
  std::unique_ptr<MetaOptimizer> optimizer_;
  Params meta_;
  Params running_;              // global_running: averages over training; empty otherwise
  std::vector<Member> others_;  // of an ensemble, beside the one in use
};

}  // namespace innerloop
