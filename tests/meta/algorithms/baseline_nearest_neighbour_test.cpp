#include "meta/algorithms/baseline_nearest_neighbour.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "datasets/dataset.h"
#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Features are the two inputs themselves.
struct Plane : FeaturePlane {
  explicit Plane(const Texts& own, int64_t ways = 2)
      : FeaturePlane(baseline_nearest_neighbour(), own, {ways, 2, 1}) {}

  // Of class 0 (1, 0), of class 1 (0, 1) and (3, 2).
  Tensor scores(const Tensor& query) const {
    const Episodes e{.support_x = torch::tensor({{{1.0, 0.0}, {0.0, 1.0}, {3.0, 2.0}}}, torch::kFloat64),
                     .query_x = query,
                     .support_y = torch::tensor({{0, 1, 1}}, torch::kInt64),
                     .query_y = torch::zeros({1, query.size(1)}, torch::kInt64)};
    const EpisodeTask task(method->network(false), e, {2, 2, 1}, LossReduction::kMean, BatchNormMode::kNone);
    const auto found = method->predict(meta, task, 3, {.training = false});
    CHECK(found.size() == 1);
    return found.front()[0];
  }
};

}  // namespace

// (3, 1/2) has the cosines 3 / sqrt(9.25), .5 / sqrt(9.25) and 10 / sqrt(9.25 * 13), and the distances
// sqrt(4.25), sqrt(9.25) and 1.5.
TEST_CASE(
    "baseline_nearest_neighbour: a class has its nearest support sample's similarity, by cosine or distance",
    "[meta]") {
  const Tensor query = torch::tensor({{{3.0, 0.5}, {0.0, 2.0}}}, torch::kFloat64);
  const Tensor cosine = Plane({}).scores(query);
  CHECK(cosine[0][0].item<double>() == Approx(3 / std::sqrt(9.25)));
  CHECK(cosine[0][1].item<double>() == Approx(10 / std::sqrt(9.25 * 13)));
  CHECK(cosine[1][0].item<double>() == Approx(0));
  CHECK(cosine[1][1].item<double>() == Approx(1));
  const Tensor euclidean = Plane({{"distance", "euclidean"}}).scores(query);
  CHECK(euclidean[0][0].item<double>() == Approx(-std::sqrt(4.25)));
  CHECK(euclidean[0][1].item<double>() == Approx(-1.5));
  CHECK(cosine[0].argmax().item<int64_t>() == 0);
  CHECK(euclidean[0].argmax().item<int64_t>() == 1);
}

TEST_CASE("baseline_nearest_neighbour: what is learned does not depend on a task's ways", "[meta]") {
  const Plane two({}), five({}, 5);
  Stream a(StreamKey{}), b(StreamKey{});
  CHECK(identical(two.method->initial(a), five.method->initial(b)));
  CHECK(two.method->initialisation(two.meta).names() ==
        std::vector<std::string>{"layer0.weight", "layer0.bias"});
}

TEST_CASE("baseline_nearest_neighbour: a data set without classes is refused", "[meta]") {
  const auto sine = make_dataset({.name = "sine"});
  CHECK_THROWS_WITH(baseline_nearest_neighbour().method({}, {.dataset = sine.get()}),
                    contains("needs classes"));
}
