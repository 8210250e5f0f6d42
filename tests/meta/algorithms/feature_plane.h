// Methods on features that are the two inputs themselves (one hidden layer of rectified units with the
// identity as its weights), for tests whose numbers are worked out by hand.
#pragma once

#include "datasets/dataset.h"
#include "meta/algorithm.h"
#include "meta/method.h"
#include "tests/torch_catch.h"

namespace innerloop {

// Points [N, 2] and labels [N] of one task.
inline Episodes plane_episodes(const torch::Tensor& support_x, const torch::Tensor& support_y,
                               const torch::Tensor& query_x, const torch::Tensor& query_y) {
  return {.support_x = support_x.unsqueeze(0),
          .query_x = query_x.unsqueeze(0),
          .support_y = support_y.unsqueeze(0),
          .query_y = query_y.unsqueeze(0)};
}

// Says that there are classes; the points come from the test.
class PointClasses : public Dataset {
 public:
  PointClasses() {
    spec_.name = "points";
    spec_.input = {2};
    spec_.classification = true;
  }
  const DatasetSpec& spec() const override { return spec_; }
  void check(Split, const EpisodeShape&) const override {}
  int64_t classes(Split) const override { return 7; }  // more than a task has
  void draw(Split, const EpisodeShape&, Stream&, Episodes&, int64_t) const override {}

 private:
  DatasetSpec spec_;
};

struct FeaturePlane {
  std::unique_ptr<Dataset> dataset = std::make_unique<PointClasses>();
  std::unique_ptr<Method> method;
  Params meta;
  EpisodeShape shape;

  FeaturePlane(const Algorithm& algorithm, const Texts& own = {}, EpisodeShape of = {2, 1, 1}) : shape(of) {
    const MethodContext context{
        .inner = {.steps = 0},
        .network =
            [](int64_t outputs) {
              return make_network({.name = "mlp", .own = {{"hidden", "2"}}}, {2}, outputs);
            },
        .outputs = shape.ways,
        .dataset = dataset.get(),
        .shape = shape};
    method = algorithm.method(own, context);
    Stream stream(StreamKey{});
    meta = method->initial(stream).to(torch::kFloat64).cloned();
    meta.at("layer0.weight").copy_(torch::eye(2, torch::kFloat64).unsqueeze(0));
    meta.at("layer0.bias").zero_();
  }

  EpisodeTask task(const Episodes& episodes) const {
    return {method->network(true), episodes, shape, LossReduction::kMean, BatchNormMode::kNone};
  }
};

inline torch::Tensor points(const std::vector<double>& flat) {
  return torch::tensor(flat, torch::kFloat64).view({-1, 2});
}

inline torch::Tensor labels(const std::vector<int64_t>& list) { return torch::tensor(list, torch::kInt64); }

}  // namespace innerloop
