#include "meta/algorithms/embedding_method.h"

#include "base/error.h"
#include "meta/algorithms/domain_method.h"

namespace innerloop {

using torch::Tensor;

EmbeddingMethod::EmbeddingMethod(const std::string& algorithm, int64_t embedding,
                                 const MethodContext& context)
    : DirectMethod(context, embedding), prefix_(algorithm + ".") {
  require_usage(context.dataset->spec().classification, "algorithm ", algorithm,
                " needs classes; the data set ", context.dataset->spec().name, " has none");
  if (domains_of(*context.dataset) != nullptr) batches_.emplace(algorithm, context);
}

Tensor EmbeddingMethod::loss(const Params& meta, const EpisodeTask& tasks, const Moment&) const {
  return head_loss(*head(tasks), tasks.forward(Part::kBoth, meta, tasks.network()), meta);
}

std::unique_ptr<LossAt> EmbeddingMethod::loss_at(const Params& meta, const EpisodeTask& tasks,
                                                 const Moment&) const {
  return tasks.loss_at(Part::kBoth, meta, head(tasks));
}

std::shared_ptr<const Head> EmbeddingMethod::head(const EpisodeTask& tasks) const {
  const auto& e = tasks.episodes();
  const Tensor labels = torch::cat({e.support_y, e.query_y}, 1);
  return make_head(
      [this, labels](const Tensor& y, const Params& own) { return embedding_loss(y, labels, own); },
      own_names());
}

Tensor EmbeddingMethod::query_scores(const Params& meta, const EpisodeTask& tasks, const Moment&) const {
  return nearest_embedding(tasks.output(Part::kBoth, initialisation(meta)), tasks.episodes().support_y);
}

Tensor EmbeddingMethod::embedding(const Params& meta, const Tensor& x, const Pass& pass) const {
  return network(false).output(initialisation(meta), x, pass);
}

}  // namespace innerloop
