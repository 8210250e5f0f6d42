#include "meta/algorithms/baseline_nearest_neighbour.h"

#include "base/error.h"
#include "base/row.h"
#include "datasets/dataset.h"
#include "meta/algorithms/all_classes.h"
#include "meta/algorithms/nearest_support.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct BaselineNearestNeighbourConfig {
  bool euclidean = false;
};

const Keys<BaselineNearestNeighbourConfig>& baseline_nearest_neighbour_keys() {
  static const Keys<BaselineNearestNeighbourConfig> list{keys::free(
      keys::spelled("distance", &BaselineNearestNeighbourConfig::euclidean,
                    {{"cosine", false}, {"euclidean", true}}, "by which support samples are near"))};
  return list;
}

class BaselineNearestNeighbour : public AllClasses {
 public:
  BaselineNearestNeighbour(const BaselineNearestNeighbourConfig& config, const MethodContext& context)
      : AllClasses(context), euclidean_(config.euclidean), features_(context.network(0)) {
    Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names alone matter
    names_ = features_->initial(any).names();
  }

  std::vector<Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t,
                              const Moment&) const override {
    const torch::NoGradGuard no_graph;
    const Params theta = initialisation(meta).expanded(tasks.size());
    const Tensor support = tasks.forward(Part::kSupport, theta, *features_);
    const Tensor query = tasks.forward(Part::kQuery, theta, *features_);
    const Tensor& labels = tasks.episodes().support_y;
    const Tensor near = euclidean_ ? -torch::cdist(query, support)
                                   : direction(query).matmul(direction(support).transpose(1, 2));
    return {best_of_class(near, labels, labels.max().item<int64_t>() + 1)};
  }

  Params initialisation(const Params& meta) const override { return meta.select(names_); }

 protected:
  const Network& held_out_network() const override { return *features_; }

 private:
  static Tensor direction(const Tensor& f) { return f / f.square().sum(2, true).clamp_min(1e-30).sqrt(); }

  bool euclidean_;
  std::unique_ptr<Network> features_;
  std::vector<std::string> names_;
};

}  // namespace

Algorithm baseline_nearest_neighbour() {
  return {.name = "baseline_nearest_neighbour",
          .paper = "Ravi and Larochelle 2017, section 5.1",
          .summary = "one classifier of all training classes; a task's nearest support features",
          .prescribes = {{"inner.steps", "0"}},
          .keys = baseline_nearest_neighbour_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = baseline_nearest_neighbour_keys().read(
                own, "algorithm baseline_nearest_neighbour", "baseline_nearest_neighbour");
            require_usage(context.dataset->spec().classification,
                          "algorithm baseline_nearest_neighbour needs classes; the data set ",
                          context.dataset->spec().name, " has none");
            return std::make_unique<BaselineNearestNeighbour>(config, context);
          }};
}

}  // namespace innerloop
