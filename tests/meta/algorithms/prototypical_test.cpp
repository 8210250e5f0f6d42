#include "meta/algorithms/prototypical.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;

namespace {

struct Plane : FeaturePlane {
  Plane() : FeaturePlane(prototypical(), {}, {2, 2, 1}) {}
};

}  // namespace

// Class 0 at (1, 0) and (3, 0), class 1 at (0, 4): prototypes (2, 0) and (0, 4). A query (2, 1) has squared
// distances 1 and 13, so p_0 = 1 / (1 + e^-12).
TEST_CASE("prototypical: uneven supports and a query have the probabilities worked out by hand", "[meta]") {
  const Plane plane;
  const Episodes e{.support_x = torch::tensor({{{1.0, 0.0}, {0.0, 4.0}, {3.0, 0.0}}}, torch::kFloat64),
                   .query_x = torch::tensor({{{2.0, 1.0}, {0.0, 2.0}}}, torch::kFloat64),
                   .support_y = torch::tensor({{0, 1, 0}}, torch::kInt64),
                   .query_y = torch::tensor({{0, 1}}, torch::kInt64)};
  const auto task = plane.task(e);
  const auto found = plane.method->pass(plane.meta, task, {}, true);
  CHECK(found.output[0][0][0].item<double>() == Approx(-1));
  CHECK(found.output[0][0][1].item<double>() == Approx(-13));
  CHECK(found.output[0][1][0].item<double>() == Approx(-8));
  CHECK(found.output[0][1][1].item<double>() == Approx(-4));
  CHECK(found.loss.item<double>() == Approx((std::log1p(std::exp(-12.0)) + std::log1p(std::exp(-4.0))) / 2));
  CHECK(plane.method->predict(plane.meta, task, 5, {}).size() == 1);  // no gradient steps
  Episodes wrong = e;
  wrong.query_y = 1 - e.query_y;
  CHECK(plane.method->pass(plane.meta, plane.task(wrong), {}, false).loss.item<double>() > 5);
}

TEST_CASE("prototypical: the trained network has no last layer", "[meta]") {
  const Plane plane;
  CHECK(plane.meta.names() == std::vector<std::string>{"layer0.weight", "layer0.bias"});
}

TEST_CASE("prototypical: a data set without classes is refused", "[meta]") {
  const auto sine = make_dataset({.name = "sine"});
  CHECK_THROWS_WITH(prototypical().method({}, {.dataset = sine.get()}), contains("needs classes"));
}
