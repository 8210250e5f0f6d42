// Meta-learning for unseen domains as Guo et al. (CVPR 2020) and Faraki et al. (CVPR 2021) have it, over what
// domain_batches.h draws: with alpha = inner.step_size, for rotation r of n,
//
//   theta'_r = theta - alpha grad L_S(theta)                     on the n - 1 meta-train domains
//   update   = 1/n sum_r grad [ gamma L_S(theta) + (1 - gamma) L_T(theta'_r) ]
//
// with second derivatives unless inner.first_order. Both losses are of an embedding, the configured network
// with `embedding` outputs, whose rows are scaled to length 1, and of templates of the training classes that
// are learned beside it. What is used afterwards is the embedding alone; nothing adapts to held-out tasks: a
// query has the class of the support sample with the largest cosine.
#pragma once

#include <functional>
#include <string>

#include "meta/algorithms/domain_batches.h"
#include "meta/gradient_method.h"
#include "meta/pair_similarity.h"

namespace innerloop {

struct DomainLosses {
  // Embeddings [T, N, E] of a part's samples, their labels [T, N], templates [T, classes, E] -> [T], in
  // operations differentiable twice.
  using Loss = std::function<torch::Tensor(const torch::Tensor& y, const torch::Tensor& labels,
                                           const torch::Tensor& templates)>;
  Loss train;                     // L_S, of the support part
  Loss test;                      // L_T
  Part test_part = Part::kQuery;  // what L_T sees: the unseen domain, or kBoth: the other domains before it
  double gamma = 0.5;
  double scale = 64;  // of the scores that are reported of training, within the unseen domain
};

class DomainMethod : public GradientMethod, public PairSimilarity {
 public:
  DomainMethod(const std::string& algorithm, int64_t embedding, DomainBatches batches, DomainLosses losses,
               const MethodContext& context);

  Episodes draw(const TaskSource& source, const Moment& now, int64_t count) const override {
    return batches_.rotations(source, now, count);
  }
  std::vector<torch::Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                                     const Moment& now) const override;
  Trace trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
              const Moment& now) const override {
    return Method::trace(meta, tasks, course, now);
  }
  double step_size() const override { return Method::step_size(); }  // of held-out tasks there is none
  Params initialisation(const Params& meta) const override { return meta.without(prefix_); }
  torch::Tensor embedding(const Params& meta, const torch::Tensor& x, const Pass& pass) const override;

 private:
  std::string prefix_;
  DomainBatches batches_;
};

// The class of the support sample with the largest cosine, [T, queries, labels]; `outputs`: the embeddings of
// support and query samples, one batch, [T, samples, E].
torch::Tensor nearest_embedding(const torch::Tensor& outputs, const torch::Tensor& support_y);

}  // namespace innerloop
