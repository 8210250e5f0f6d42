#include "meta/algorithms/baseline_finetune.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Features are the two inputs themselves; class 0 at (1, 0), class 1 at (0, 1), one query at (1, 0).
struct Plane : FeaturePlane {
  explicit Plane(const Texts& own) : FeaturePlane(baseline_finetune(), own) {}

  EpisodeTask task() const {
    const Episodes e{.support_x = torch::tensor({{{1.0, 0.0}, {0.0, 1.0}}}, torch::kFloat64),
                     .query_x = torch::tensor({{{1.0, 0.0}}}, torch::kFloat64),
                     .support_y = torch::tensor({{0, 1}}, torch::kInt64),
                     .query_y = torch::tensor({{0}}, torch::kInt64)};
    return {method->network(false), e, {2, 1, 1}, LossReduction::kMean, BatchNormMode::kNone};
  }
  // The query's score of class 0 after 0, 1, 2 steps.
  std::vector<double> scores() const {
    std::vector<double> out;
    for (const auto& y : method->predict(meta, task(), 2, {.training = false})) {
      out.push_back(y[0][0][0].item<double>());
    }
    return out;
  }
};

}  // namespace

// From a head of zeros p = 1/2 everywhere, so that the first row gets the gradient (-1/4, 1/4); then
// p = sigma(1/2) of the right class, and the gradient is (p - 1) / 2 (1, -1).
TEST_CASE("baseline_finetune: two steps of the last layer are those worked out by hand", "[meta]") {
  const double second = (1 - 1 / (1 + std::exp(-0.5))) / 2;
  const Texts head{{"step_size", 1.0}, {"adapt", "head"}, {"head", "zero"}};
  const auto plain = Plane(head).scores();
  REQUIRE(plain.size() == 3);
  CHECK(plain[0] == 0);
  CHECK(plain[1] == Approx(0.25));
  CHECK(plain[2] == Approx(0.25 + second));
  Texts decayed = head;
  decayed.set("decay", "1");
  const auto slower = Plane(decayed).scores();
  CHECK(slower[1] == Approx(0.25));
  CHECK(slower[2] == Approx(0.25 + second / 2));
  decayed.set("decay", "3");
  CHECK(Plane(decayed).scores()[2] == Approx(0.25 + second / 4));
}

TEST_CASE("baseline_finetune: the whole network adapts, or its last layer alone", "[meta]") {
  const auto moved = [](const char* adapt) {
    const Plane plane({{"step_size", 1.0}, {"adapt", adapt}});
    const Trace trace = plane.method->trace(plane.meta, plane.task(), {.steps = 1}, {.training = false});
    CHECK_FALSE(torch::equal(trace.before.at("layer1.weight"), trace.after.at("layer1.weight")));
    return !torch::equal(trace.before.at("layer0.weight"), trace.after.at("layer0.weight"));
  };
  CHECK(moved("all"));
  CHECK_FALSE(moved("head"));
}

TEST_CASE("baseline_finetune: the new last layer is drawn once, within 1 / sqrt(features)", "[meta]") {
  const Plane plane({});
  CHECK(plane.meta.at("layer1.weight").size(1) > 2);  // of all training classes
  const Params start = plane.method->initialisation(plane.meta);
  CHECK(start.at("layer1.weight").sizes() == at::IntArrayRef({1, 2, 2}));
  CHECK(identical(start, plane.method->initialisation(plane.meta)));
  CHECK(identical(start, Plane({{"step_size", 0.5}}).method->initialisation(plane.meta)));
  const double most = largest(start.select({"layer1.weight", "layer1.bias"}));
  CHECK(most <= std::sqrt(0.5));
  CHECK(most > 0.2);
  CHECK(torch::equal(start.at("layer0.weight"), plane.meta.at("layer0.weight")));
  CHECK(largest(Plane({{"head", "zero"}}).method->initialisation(plane.meta).select({"layer1.weight"})) == 0);
}

TEST_CASE("baseline_finetune: a data set without classes is refused", "[meta]") {
  const auto sine = make_dataset({.name = "sine"});
  CHECK_THROWS_WITH(baseline_finetune().method({}, {.dataset = sine.get()}), contains("needs classes"));
}
