// Plain learners of an embedding, what meta-learning for unseen domains is compared with: one loss of the
// configured network with `embedding` outputs, whose rows are scaled to length 1, on the images of a step. A
// query has the class of the support sample with the largest cosine.
//
// With domains a training task is the batch of one of the step's domains, the images that `mfr` and `cdt`
// have with the same seed (domain_batches.h): all of its samples pass together, and labels are places among
// all training classes. Without domains it is what draw_plain() says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/algorithms/domain_batches.h"
#include "meta/direct_method.h"
#include "meta/pair_similarity.h"

namespace innerloop {

class EmbeddingMethod : public DirectMethod, public PairSimilarity {
 public:
  EmbeddingMethod(const std::string& algorithm, int64_t embedding, const MethodContext& context);

  // Of embeddings [T, N, E], their labels [T, N] and the own entries' tensors, in the order of own_names().
  virtual torch::Tensor embedding_loss(const torch::Tensor& y, const torch::Tensor& labels,
                                       const Params& own) const = 0;
  virtual std::vector<std::string> own_names() const { return {}; }
  virtual Episodes draw_plain(const TaskSource& source, const Moment& now, int64_t count) const = 0;

  Episodes draw(const TaskSource& source, const Moment& now, int64_t count) const override {
    return batches_ ? batches_->each_domain(source, now, count) : draw_plain(source, now, count);
  }
  torch::Tensor loss(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override;
  // Through the network's kernels.
  std::unique_ptr<LossAt> loss_at(const Params& meta, const EpisodeTask& tasks,
                                  const Moment& now) const override;
  torch::Tensor query_scores(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override;
  Params initialisation(const Params& meta) const override { return meta.without(prefix_); }
  torch::Tensor embedding(const Params& meta, const torch::Tensor& x, const Pass& pass) const override;

 private:
  std::shared_ptr<const Head> head(const EpisodeTask& tasks) const;

  std::string prefix_;
  std::optional<DomainBatches> batches_;
};

}  // namespace innerloop
