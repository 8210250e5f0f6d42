#include "meta/algorithms/domain_batches.h"

#include "base/error.h"
#include "base/permutation.h"
#include "meta/pair_similarity.h"
#include "networks/initialization.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr double kOutOfTheQuestion = -1e9;  // of a score: its exponential is 0, and has derivatives

const Domains& training_domains(const std::string& algorithm, const MethodContext& context) {
  const Domains* found = domains_of(*context.dataset);
  require_usage(
      found != nullptr, "algorithm ", algorithm, " needs a data set whose classes belong to domains; ",
      context.dataset->spec().name,
      context.dataset->spec().name == "omniglot" ? " has them with dataset.splits = official" : " has none");
  return *found;
}

}  // namespace

DomainBatches::DomainBatches(const std::string& algorithm, const MethodContext& context)
    : domains_(context.tasks), identities_(context.shape.ways) {
  const Domains& of = training_domains(algorithm, context);
  const auto& domains = of.domains(Split::kTrain);
  const auto present = static_cast<int64_t>(domains.size());
  require_usage(domains_ >= 2 && domains_ <= present, "meta.batch_size: ", domains_, " found, expected 2 to ",
                present, ": algorithm ", algorithm, " takes so many of the ", present,
                " training domains of ", context.dataset->spec().name, " in a step");
  require_usage(context.shape.shots == 1 && context.shape.queries == 1,
                "dataset.shots and dataset.queries: ", context.shape.shots, " and ", context.shape.queries,
                " found, expected 1 and 1: algorithm ", algorithm,
                " takes one gallery image and one probe of an identity");
  domain_of_class_ = torch::zeros({context.dataset->classes(Split::kTrain)}, torch::kInt64);
  for (int64_t d = 0; d < present; ++d) {
    of.check_domain(Split::kTrain, d, context.shape);
    const auto& domain = domains[static_cast<size_t>(d)];
    domain_of_class_.narrow(0, domain.first, domain.count).fill_(d);
  }
}

DomainBatches::Batch DomainBatches::batch(const Dataset& dataset, const Moment& now, int64_t slot) const {
  const Domains& of = *domains_of(dataset);
  const auto stream = [&](uint64_t task, uint64_t what) {
    return Stream(StreamKey{.seed = now.seed,
                            .purpose = Purpose::kTask,
                            .iteration = static_cast<uint64_t>(now.iteration),
                            .task = task,
                            .trajectory = what});
  };
  const auto present = static_cast<int64_t>(of.domains(Split::kTrain).size());
  int64_t domain = slot;
  if (present > domains_) {
    Stream choice = stream(0, 1);
    Permutation order(present, choice);
    for (int64_t i = 0; i <= slot; ++i) domain = order.next();
  }
  const EpisodeShape shape{.ways = identities_, .shots = 1, .queries = 1};
  Episodes episodes = make_episodes(dataset.spec(), shape, 1);
  Stream draws = stream(static_cast<uint64_t>(slot), 0);
  const auto classes = of.draw_within(Split::kTrain, domain, shape, draws, episodes, 0);
  return {episodes.support_x[0], episodes.query_x[0], torch::tensor(classes, torch::kInt64)};
}

Episodes DomainBatches::rotations(const TaskSource& source, const Moment& now, int64_t count) const {
  std::vector<Batch> batches;
  for (int64_t slot = 0; slot < domains_; ++slot) batches.push_back(batch(source.dataset(), now, slot));
  std::vector<Tensor> support_x, support_y, query_x, query_y;
  for (int64_t t = 0; t < count; ++t) {
    std::vector<Tensor> x, y;
    const auto unseen = static_cast<size_t>(now.first_task + t);
    for (size_t slot = 0; slot < batches.size(); ++slot) {
      const Batch& b = batches[slot];
      const Tensor images = torch::cat({b.gallery, b.probe}), labels = b.labels.repeat({2});
      (slot == unseen ? query_x : x).push_back(images);
      (slot == unseen ? query_y : y).push_back(labels);
    }
    support_x.push_back(torch::cat(x));
    support_y.push_back(torch::cat(y));
  }
  return {.support_x = torch::stack(support_x),
          .query_x = torch::stack(query_x),
          .support_y = torch::stack(support_y),
          .query_y = torch::stack(query_y)};
}

Episodes DomainBatches::each_domain(const TaskSource& source, const Moment& now, int64_t count) const {
  std::vector<Tensor> gallery, probes, labels;
  for (int64_t t = 0; t < count; ++t) {
    const Batch b = batch(source.dataset(), now, now.first_task + t);
    gallery.push_back(b.gallery);
    probes.push_back(b.probe);
    labels.push_back(b.labels);
  }
  return {.support_x = torch::stack(gallery),
          .query_x = torch::stack(probes),
          .support_y = torch::stack(labels),
          .query_y = torch::stack(labels)};
}

DomainPairs domain_pairs(const Tensor& embedding, int64_t domains) {
  const Tensor rows = unit_rows(embedding).reshape({embedding.size(0), domains, 2, -1, embedding.size(2)});
  return {rows.select(2, 0), rows.select(2, 1)};
}

Tensor initial_templates(Stream& stream, int64_t classes, int64_t embedding) {
  return unit_rows(normal_weights(stream, {1, classes, embedding}, 1));
}

Tensor template_scores(const Tensor& embedding, const Tensor& templates, double scale) {
  return scale * unit_rows(embedding).matmul(unit_rows(templates).transpose(1, 2));
}

Tensor within_domain(const Tensor& scores, const Tensor& labels, const Tensor& domain_of_class) {
  const Tensor own = domain_of_class.index_select(0, labels.flatten()).reshape(labels.sizes());
  return scores.masked_fill(own.unsqueeze(2).ne(domain_of_class), kOutOfTheQuestion);
}

Tensor mean_cross_entropy(const Tensor& scores, const Tensor& labels) {
  return -torch::log_softmax(scores, 2).gather(2, labels.unsqueeze(2)).mean({1, 2});
}

}  // namespace innerloop
