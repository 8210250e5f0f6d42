// The supervised adapter: T episodes of a data set as a batch of tasks, their loss taken on a network's
// output.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "meta/episode_settings.h"
#include "meta/task.h"
#include "networks/network.h"

namespace innerloop {

// Which statistics batch normalisation uses.
//   batch             of the samples passed together: support by the support set's, query by the query set's
//                     (transductive; the MAML papers')
//   per_task_running  support by its own, query by those of the task's support set under the same parameters
//                     (a prediction depends on no other query)
//   global_running    in training as `batch`, while averages over training are kept; in evaluation
//                     support and query by these averages
enum class BatchNormMode { kNone, kBatch, kPerTaskRunning, kGlobalRunning };
BatchNormMode parse_batch_norm_mode(const std::string& name);

// Tasks of a data set as an algorithm sees them: beside losses, what its adapted parameters predict.
class EpisodeView : public Task {
 public:
  // Outside any graph: the output on the query sets, [T, samples, outputs], normalised as the mode says.
  virtual torch::Tensor query_output(const Params& params) const = 0;

  // global_running: the batch statistics of the query pass, summed over tasks; empty in other modes.
  virtual Params statistics(const Params& params) const = 0;
};

class EpisodeTask : public EpisodeView {
 public:
  // `running`: statistics that replace the batch's in every pass (global_running in evaluation), [1, ...] or
  // [T, ...]; null otherwise. Network and statistics must outlive the task.
  EpisodeTask(const Network& network, Episodes episodes, const EpisodeShape& shape, LossReduction reduction,
              BatchNormMode mode, const Params* running = nullptr)
      : EpisodeTask(network, std::move(episodes), static_cast<double>(shape.shots), reduction, mode,
                    running) {}
  // `shots`: support samples per class; where classes have different numbers of them, the mean number, so
  // that sum_over_ways is `ways` times the mean over samples there too.
  EpisodeTask(const Network& network, Episodes episodes, double shots, LossReduction reduction,
              BatchNormMode mode, const Params* running = nullptr);

  // The same tasks with other episodes (a mini-batch of the support set).
  EpisodeTask with(Episodes episodes) const;

  int64_t size() const override { return episodes_.support_x.size(0); }
  torch::Tensor loss(Part part, const Params& params, int64_t step) const override;
  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const override;
  torch::Tensor value(Part part, const Params& params, int64_t step) const override;

  // A loss of the algorithm's own on the network's output on a part: [T, samples, outputs], of kBoth the
  // support samples first, passed as one batch (one set of batch statistics).
  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, std::shared_ptr<const Head> head) const;
  torch::Tensor output(Part part, const Params& params) const;  // outside any graph

  // For algorithms that want more of the network than a loss: what `network`, this task's or another one of
  // its entries (its features, say), gives on a part, normalised as the mode says, in differentiable
  // operations or with derivatives; and the loss on such an output.
  torch::Tensor forward(Part part, const Params& params, const Network& network) const;
  std::unique_ptr<Linearization> at(Part part, const Params& params, const Network& network) const;
  std::shared_ptr<const OutputLoss> output_loss(Part part) const;

  torch::Tensor query_output(const Params& params) const override;
  // The statistics that normalise the queries there; none where they are those of the queries themselves.
  Params query_statistics(const Params& params) const;
  // Outside any graph: what each layer hands on of the query samples (Pass::hidden), and last the output of
  // the last linear layer, if there is one.
  std::vector<torch::Tensor> query_layers(const Params& params) const;
  // What is reported of such an output, [T] in float64: accuracy, or the mean squared error.
  torch::Tensor metric(const torch::Tensor& query_output) const;

  Params statistics(const Params& params) const override;

  const Episodes& episodes() const { return episodes_; }
  const Network& network() const { return network_; }
  bool classifies() const { return query_->classifies(); }
  BatchNormMode batch_norm() const { return mode_; }

 private:
  // Whether its statistics are those of another part, the support set.
  bool per_task(Part part) const {
    return part == Part::kQuery && mode_ == BatchNormMode::kPerTaskRunning && running_ == nullptr;
  }
  Pass query_pass(const Params& params, Params& found) const;
  torch::Tensor samples(Part part) const;

  const Network& network_;
  Episodes episodes_;
  double shots_;
  LossReduction reduction_;
  BatchNormMode mode_;
  const Params* running_;
  std::shared_ptr<const OutputLoss> support_, query_;
};

}  // namespace innerloop
