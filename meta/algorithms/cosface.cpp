#include "meta/algorithms/cosface.h"

#include "base/row.h"
#include "meta/algorithms/embedding_method.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr const char* kCosfaceTemplates = "cosface.templates";

struct CosfaceConfig {
  int64_t embedding = 256;
  double scale = 64;
  double margin = 0.35;
};

const Keys<CosfaceConfig>& cosface_keys() {
  using C = CosfaceConfig;
  constexpr keys::Interval kScale{0, 1e4, true, false, "a number above 0 and at most 10000"};
  static const Keys<C> list{
      keys::whole("embedding", &C::embedding, 1, 100'000, "numbers that a sample is embedded in"),
      keys::number("scale", &C::scale, kScale, "s: of cosines before the softmax"),
      keys::number("margin", &C::margin, keys::kZeroToOne,
                   "m: taken from the cosine of a sample's own class, 0 = a plain classifier")};
  return list;
}

class Cosface : public EmbeddingMethod {
 public:
  Cosface(const CosfaceConfig& config, const MethodContext& context)
      : EmbeddingMethod("cosface", config.embedding, context),
        config_(config),
        shape_(context.shape),
        classes_(context.dataset->classes(Split::kTrain)) {}

  Params initial(Stream& stream) const override {
    const Params network = EmbeddingMethod::initial(stream);
    return network.joined(
        Params({{kCosfaceTemplates, initial_templates(stream, classes_, config_.embedding)}}));
  }

  int64_t tasks_per_chunk() const override { return 1; }

  std::vector<std::string> own_names() const override { return {kCosfaceTemplates}; }

  Tensor embedding_loss(const Tensor& y, const Tensor& labels, const Params& own) const override {
    return cosface_loss(y, labels, own.at(kCosfaceTemplates), config_.scale, config_.margin);
  }

  Episodes draw_plain(const TaskSource& source, const Moment& now, int64_t) const override {
    const int64_t support = shape_.ways * shape_.shots, query = shape_.ways * shape_.queries;
    const auto all = source.labelled(now.iteration, now.first_task, support + query);
    return {.support_x = all.query_x.narrow(1, 0, support),
            .query_x = all.query_x.narrow(1, support, query),
            .support_y = all.query_y.narrow(1, 0, support),
            .query_y = all.query_y.narrow(1, support, query)};
  }

  // In training by the templates, of which held-out classes have none.
  Tensor query_scores(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override {
    if (!now.training) return EmbeddingMethod::query_scores(meta, tasks, now);
    return template_scores(tasks.output(Part::kQuery, initialisation(meta)), meta.at(kCosfaceTemplates),
                           config_.scale);
  }

 private:
  CosfaceConfig config_;
  EpisodeShape shape_;
  int64_t classes_;
};

}  // namespace

Tensor cosface_loss(const Tensor& y, const Tensor& labels, const Tensor& templates, double scale,
                    double margin) {
  const Tensor scores = template_scores(y, templates, scale);
  const Tensor own = torch::one_hot(labels, templates.size(1)).to(scores.scalar_type());
  return mean_cross_entropy(scores - scale * margin * own, labels);
}

Algorithm cosface() {
  return {.name = "cosface",
          .paper = "Wang et al. 2018, eq. 4",
          .summary = "one classifier of all training classes by cosines; a query's nearest support sample",
          .prescribes = {{"inner.steps", "0"}},
          .keys = cosface_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            return std::make_unique<Cosface>(cosface_keys().read(own, "algorithm cosface", "cosface"),
                                             context);
          }};
}

}  // namespace innerloop
