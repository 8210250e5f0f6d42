// Methods without an inner loop: a loss of the meta-parameters alone, on support and query of a task
// together. Derive, give the loss and the prediction; classifiers of features have a class of their own
// (meta/feature_classifier.h).
#pragma once

#include <memory>

#include "meta/algorithm.h"
#include "meta/method.h"
#include "networks/tensors/loss_at.h"

namespace innerloop {

class DirectMethod : public Method {
 public:
  // `outputs`: of the network that is trained and used; 0: its features.
  DirectMethod(const MethodContext& context, int64_t outputs);

  // meta [T, ...] -> [T], in differentiable LibTorch operations.
  virtual torch::Tensor loss(const Params& meta, const EpisodeTask& tasks, const Moment& now) const = 0;

  // The same with derivatives: by default autograd of loss(). A loss on the network's output overrides it
  // with tasks.loss_at(part, meta, head), which runs in the network's kernels.
  virtual std::unique_ptr<LossAt> loss_at(const Params& meta, const EpisodeTask& tasks,
                                          const Moment& now) const;

  // Scores or values on the query sets, [T, samples, outputs]; meta [T, ...], outside any graph.
  virtual torch::Tensor query_scores(const Params& meta, const EpisodeTask& tasks,
                                     const Moment& now) const = 0;

  Params initial(Stream& stream) const override;
  const Network& network(bool training) const override;
  Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
               bool with_output) const override;
  std::vector<torch::Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                                     const Moment& now) const override;
  Params initialisation(const Params& meta) const override { return meta; }

 private:
  std::unique_ptr<Network> network_;
};

}  // namespace innerloop
