#include "meta/algorithms/cosface.h"

#include <cmath>

#include "base/error.h"
#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Embeddings (3, 0) and (0, 2) of classes 0 and 1; templates (5, 0), (.6, .8): cosines 1, .6 and 0, .8.
double loss(double scale, double margin) {
  return cosface_loss(points({3, 0, 0, 2}).unsqueeze(0), labels({0, 1}).unsqueeze(0),
                      points({5, 0, 0.6, 0.8}).unsqueeze(0), scale, margin)
      .item<double>();
}

}  // namespace

TEST_CASE("cosface: the loss is that worked out by hand, without and with its margin", "[meta]") {
  const auto of = [](double own, double other) { return std::log(1 + std::exp(other - own)); };
  CHECK(loss(2, 0) == Approx((of(2, 1.2) + of(1.6, 0)) / 2));
  CHECK(loss(2, 0.35) == Approx((of(1.3, 1.2) + of(0.9, 0)) / 2));
}

TEST_CASE("cosface: it learns templates of all training classes and leaves them behind", "[meta]") {
  const FeaturePlane plane(cosface(), {{"embedding", 4}}, {2, 1, 1});
  CHECK(plane.meta.at("cosface.templates").sizes() == std::vector<int64_t>{1, 7, 4});
  CHECK_FALSE(plane.method->initialisation(plane.meta).contains("cosface.templates"));
  const auto sine = make_dataset({.name = "sine"});
  CHECK_THROWS_WITH(
      cosface().method(
          {}, {.network = [](int64_t outputs) { return make_network({.name = "mlp"}, {1}, outputs); },
               .dataset = sine.get()}),
      contains("needs classes"));
  CHECK_THROWS_WITH(FeaturePlane(cosface(), {{"margin", 1.5}}), contains("cosface.margin"));
}
