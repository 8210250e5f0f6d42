#include "meta/feature_classifier.h"

#include "base/error.h"
#include "datasets/dataset.h"

namespace innerloop {
namespace {

using torch::Tensor;

FeatureSets sets_of(const Tensor& features, const Tensor& support_y) {
  return feature_sets(features, support_y, support_y.max().item<int64_t>() + 1);
}

const MethodContext& with_classes(const std::string& algorithm, const MethodContext& context) {
  const auto& spec = context.dataset->spec();
  require_usage(spec.classification, "algorithm ", algorithm, " needs classes; the data set ", spec.name,
                " has none");
  return context;
}

// Mean cross-entropy of the queries.
class ScoresHead : public Head {
 public:
  ScoresHead(const FeatureClassifier& of, const EpisodeTask& tasks, std::string prefix)
      : of_(of),
        support_y_(tasks.episodes().support_y),
        query_y_(tasks.episodes().query_y),
        prefix_(std::move(prefix)) {}

  Tensor operator()(const Tensor& features, const Params& own) const override {
    const Tensor log_p = torch::log_softmax(of_.scores(sets_of(features, support_y_), own.part(prefix_)), 2);
    return -log_p.gather(2, query_y_.unsqueeze(2)).mean({1, 2});
  }

  std::vector<std::string> reads(const Params& params) const override {
    std::vector<std::string> out;
    for (const auto& entry : params) {
      if (entry.name.rfind(prefix_, 0) == 0) out.push_back(entry.name);
    }
    return out;
  }

 private:
  const FeatureClassifier& of_;
  Tensor support_y_, query_y_;
  std::string prefix_;
};

}  // namespace

FeatureClassifier::FeatureClassifier(const std::string& algorithm, const MethodContext& context)
    : DirectMethod(with_classes(algorithm, context), /*outputs=*/0), prefix_(algorithm + ".") {}

Tensor FeatureClassifier::loss(const Params& meta, const EpisodeTask& tasks, const Moment&) const {
  return head_loss(*head(tasks), tasks.forward(Part::kBoth, meta, tasks.network()), meta);
}

std::unique_ptr<LossAt> FeatureClassifier::loss_at(const Params& meta, const EpisodeTask& tasks,
                                                   const Moment&) const {
  return tasks.loss_at(Part::kBoth, meta, head(tasks));
}

Tensor FeatureClassifier::query_scores(const Params& meta, const EpisodeTask& tasks, const Moment&) const {
  return scores(sets_of(tasks.output(Part::kBoth, meta), tasks.episodes().support_y), meta.part(prefix_));
}

Params FeatureClassifier::initial(Stream& stream) const {
  const Params network = DirectMethod::initial(stream);
  return network.joined(own_initial(stream).prefixed(prefix_));
}

std::shared_ptr<const Head> FeatureClassifier::head(const EpisodeTask& tasks) const {
  return std::make_shared<ScoresHead>(*this, tasks, prefix_);
}

FeatureSets feature_sets(const Tensor& features, const Tensor& support_y, int64_t ways) {
  const int64_t supports = support_y.size(1);
  return {features.narrow(1, 0, supports), support_y,
          features.narrow(1, supports, features.size(1) - supports), ways};
}

int64_t feature_width(const MethodContext& context) {
  const auto network = context.network(1);
  Stream any(StreamKey{});
  return network->initial(any).at(network->head_names().at(0)).size(2);
}

}  // namespace innerloop
