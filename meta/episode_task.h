// The supervised adapter: T episodes of a data set as a batch of tasks, their loss taken on a network's
// output.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "meta/task.h"
#include "networks/network.h"

namespace innerloop {

// How the loss of a set of samples is reduced.
//   mean            mean over samples (and outputs)
//   sum_over_ways   sum over samples / shots, cbfinn/maml's scale (utils.py:xent): the support gradient is
//                   `ways` times that of the mean, so its step size 0.4 is 2.0 for the mean
enum class LossReduction { kMean, kSumOverWays };
LossReduction parse_loss_reduction(const std::string& name);  // UsageError with the known names

// Which statistics batch normalisation uses.
//   batch             of the samples passed together: support by the support set's, query by the query set's
//                     (transductive; the MAML papers')
//   per_task_running  support by its own, query by those of the task's support set under the same parameters
//                     (a prediction depends on no other query)
//   global_running    in training as `batch`, while averages over training are kept; in evaluation
//                     support and query by these averages
enum class BatchNormMode { kNone, kBatch, kPerTaskRunning, kGlobalRunning };
BatchNormMode parse_batch_norm_mode(const std::string& name);

class EpisodeTask : public Task {
 public:
  // `running`: statistics that replace the batch's in every pass (global_running in evaluation), [1, ...] or
  // [T, ...]; null otherwise. Network and statistics must outlive the task.
  EpisodeTask(const Network& network, Episodes episodes, const EpisodeShape& shape, LossReduction reduction,
              BatchNormMode mode, const Params* running = nullptr);

  int64_t size() const override { return episodes_.support_x.size(0); }
  torch::Tensor support_loss(const Params& params, int64_t step) const override;
  torch::Tensor query_loss(const Params& params, int64_t step) const override;
  std::unique_ptr<LossAt> support_at(const Params& params, int64_t step) const override;
  std::unique_ptr<LossAt> query_at(const Params& params, int64_t step) const override;

  // Outside any graph: the network's output on the query set, [T, samples, outputs], and what is reported of
  // it, [T] in float64: accuracy, or the mean squared error.
  torch::Tensor query_output(const Params& params) const;
  torch::Tensor query_metric(const Params& params) const;

  const Episodes& episodes() const { return episodes_; }

 private:
  Normalisation query_normalisation(const Params& params, Params& found) const;

  const Network& network_;
  Episodes episodes_;
  BatchNormMode mode_;
  const Params* running_;
  OutputLoss support_, query_;
};

}  // namespace innerloop
