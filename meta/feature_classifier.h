// Methods without an inner loop that classify: the support set becomes a classifier of the network's
// features, in differentiable operations, and the cross-entropy of the queries under it is the loss. Derive
// and give the scores; prototypical networks (meta/algorithms/prototypical.cpp) are the example.
//
// Support and query pass through the network as one batch, so that in batch mode their statistics are common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "meta/direct_method.h"

namespace innerloop {

// What a classifier sees of T tasks.
struct FeatureSets {
  torch::Tensor support;    // [T, supports, F]
  torch::Tensor support_y;  // [T, supports], classes from 0 on
  torch::Tensor query;      // [T, queries, F]
  int64_t ways;
};

class FeatureClassifier : public DirectMethod {
 public:
  // `algorithm`: its name; its own entries among the meta-parameters are named "ALGORITHM.entry". UsageError
  // for a data set without classes.
  FeatureClassifier(const std::string& algorithm, const MethodContext& context);

  // Logits of the queries, [T, queries, ways], in LibTorch operations differentiable twice; own: the entries
  // of own_initial(), [T, ...].
  virtual torch::Tensor scores(const FeatureSets& sets, const Params& own) const = 0;

  // What is learned beside the network, [1, ...] float32.
  virtual Params own_initial(Stream& /*stream*/) const { return {}; }

  torch::Tensor loss(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override;
  // Through the network's kernels.
  std::unique_ptr<LossAt> loss_at(const Params& meta, const EpisodeTask& tasks,
                                  const Moment& now) const override;
  torch::Tensor query_scores(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override;
  Params initial(Stream& stream) const override;
  Params initialisation(const Params& meta) const override { return meta.without(prefix_); }

 private:
  std::shared_ptr<const Head> head(const EpisodeTask& tasks) const;

  std::string prefix_;
};

// Of features [T, support samples first, F] of both parts.
FeatureSets feature_sets(const torch::Tensor& features, const torch::Tensor& support_y, int64_t ways);

// The width F of the features of the context's network.
int64_t feature_width(const MethodContext& context);

}  // namespace innerloop
