#include "meta/algorithms/prototypical.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/direct_method.h"

namespace innerloop {
namespace {

using torch::Tensor;

class Prototypical : public DirectMethod {
 public:
  explicit Prototypical(const MethodContext& context) : DirectMethod(context, /*outputs=*/0) {}

  Tensor loss(const Params& meta, const EpisodeTask& tasks, const Moment&) const override {
    const auto& e = tasks.episodes();
    return (*head(tasks))(tasks.network().forward(meta, torch::cat({e.support_x, e.query_x}, 1)), {});
  }

  // Through the network's kernels.
  std::unique_ptr<LossAt> loss_at(const Params& meta, const EpisodeTask& tasks,
                                  const Moment&) const override {
    return tasks.loss_at(Part::kBoth, meta, head(tasks));
  }

  Tensor query_scores(const Params& meta, const EpisodeTask& tasks, const Moment&) const override {
    return prototype_scores(tasks.output(Part::kBoth, meta), tasks.episodes().support_y, ways(tasks));
  }

 private:
  static int64_t ways(const EpisodeTask& tasks) {
    return tasks.episodes().support_y.max().item<int64_t>() + 1;
  }

  static std::shared_ptr<const Head> head(const EpisodeTask& tasks) {
    const auto& e = tasks.episodes();
    return make_head([support_y = e.support_y, query_y = e.query_y, ways = ways(tasks)](
                         const Tensor& features, const Params&) {
      const Tensor log_p = torch::log_softmax(prototype_scores(features, support_y, ways), 2);
      return -log_p.gather(2, query_y.unsqueeze(2)).mean({1, 2});
    });
  }
};

}  // namespace

Tensor prototype_scores(const Tensor& features, const Tensor& support_y, int64_t ways) {
  const int64_t supports = support_y.size(1);
  const Tensor support = features.narrow(1, 0, supports);
  const Tensor query = features.narrow(1, supports, features.size(1) - supports);
  const Tensor member = torch::one_hot(support_y, ways).to(features.scalar_type());  // [T, supports, ways]
  const Tensor mean = member.transpose(1, 2).matmul(support) / member.sum(1).unsqueeze(2);
  return -(query.unsqueeze(2) - mean.unsqueeze(1)).square().sum(3);
}

Algorithm prototypical() {
  return {.name = "prototypical",
          .paper = "Snell et al. 2017, Alg. 1",
          .summary = "the nearest class mean in a learned space; no inner steps",
          .prescribes = {{"inner.steps", "0"}},
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            kNoKeys.read(own, "algorithm prototypical", "prototypical");
            require_usage(context.dataset->spec().classification,
                          "algorithm prototypical needs classes; the data set ", context.dataset->spec().name,
                          " has none");
            return std::make_unique<Prototypical>(context);
          }};
}

}  // namespace innerloop
