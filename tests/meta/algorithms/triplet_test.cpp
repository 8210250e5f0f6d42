#include "meta/algorithms/triplet.h"

#include "base/error.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;
using torch::Tensor;

namespace {

double loss(const std::vector<double>& flat, const std::vector<int64_t>& classes, double margin,
            bool batch_hard) {
  return triplet_loss(points(flat).unsqueeze(0), labels(classes).unsqueeze(0), margin, batch_hard)
      .item<double>();
}

// Class 0 at (1, 0) and (.8, .6), class 1 at (0, 1) and (.6, .8). Squared distances: within .4 and .4; of
// (1, 0) to class 1 2 and .8; of (.8, .6) .8 and .08.
const std::vector<double> kFour{1, 0, 0.8, 0.6, 0, 1, 0.6, 0.8};
const std::vector<int64_t> kTwoClasses{0, 0, 1, 1};

}  // namespace

// batch_hard: anchors (1,0): .4 - .8; (.8,.6): .4 - .08; (0,1): .4 - .8; (.6,.8): .4 - .08; plus the margin.
TEST_CASE("triplet: the loss of hardest triplets is that worked out by hand", "[meta]") {
  CHECK(loss(kFour, kTwoClasses, 0.2, true) == Approx((0 + 0.52 + 0 + 0.52) / 4));
  CHECK(loss(kFour, kTwoClasses, 0.5, true) == Approx((0.1 + 0.82 + 0.1 + 0.82) / 4));
}

// semi_hard: the nearest farther than .4: of (1,0) .8; of (.8,.6) .8, for .08 is nearer; and so of class 1.
TEST_CASE("triplet: a semi-hard negative is the nearest beyond the positive, else the farthest", "[meta]") {
  CHECK(loss(kFour, kTwoClasses, 0.2, false) == Approx(0).margin(1e-12));
  CHECK(loss(kFour, kTwoClasses, 0.5, false) == Approx(0.1));
  // Class 0 at (1,0) and (-1,0), 4 apart: no negative is beyond; of (1,0) the farthest is (0,1) at 2, of
  // (-1,0) (.6,.8) at 3.2. Class 1, .4 apart: of (0,1) both negatives at 2; of (.6,.8) (1,0) at .8.
  CHECK(loss({1, 0, -1, 0, 0, 1, 0.6, 0.8}, kTwoClasses, 0.2, false) == Approx((2.2 + 1.0 + 0 + 0) / 4));
}

TEST_CASE("triplet: lengths of embeddings do not count", "[meta]") {
  CHECK(loss({3, 0, 0.4, 0.3, 0, 9, 6, 8}, kTwoClasses, 0.5, true) ==
        Approx(loss(kFour, kTwoClasses, 0.5, true)));
}

TEST_CASE("triplet: a query has the class of the support sample with the largest cosine", "[meta]") {
  const FeaturePlane plane(triplet(), {{"embedding", 2}}, {2, 1, 1});
  plane.meta.at("layer1.weight").copy_(torch::eye(2, torch::kFloat64).unsqueeze(0));
  plane.meta.at("layer1.bias").zero_();
  const auto task =
      plane.task(plane_episodes(points({1, 0, 0, 5}), labels({0, 1}), points({8, 6, 1, 3}), labels({0, 1})));
  const auto scores = plane.method->predict(plane.meta, task, 0, {.training = false}).back();
  CHECK(torch::allclose(scores[0][0], torch::tensor({0.8, 0.6}, torch::kFloat64)));
  CHECK(task.metric(scores).item<double>() == 1);
  CHECK_THROWS_WITH(FeaturePlane(triplet(), {}, {1, 1, 1}), contains("dataset.ways: 1 found"));
  CHECK_THROWS_WITH(FeaturePlane(triplet(), {{"selection", "hard"}}), contains("semi_hard"));
}
