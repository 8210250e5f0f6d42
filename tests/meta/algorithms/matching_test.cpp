#include "meta/algorithms/matching.h"

#include <cmath>

#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Cosines of the query (.8, .6) with the supports (1, 0): 0, (0, 1): 1, (.6, .8): 1 are .8, .6, .96. Lengths
// do not matter.
Episodes oracle() {
  return plane_episodes(points({1, 0, 0, 2, .6, .8}), labels({0, 1, 1}), points({.8, .6, 8, 6}),
                        labels({0, 1}));
}

Tensor probabilities(const Tensor& scores) { return torch::log_softmax(scores, 2).exp(); }

}  // namespace

TEST_CASE("matching: attention over three supports has the probabilities worked out by hand", "[meta]") {
  const FeaturePlane plane(matching());
  const auto task = plane.task(oracle());
  const auto found = plane.method->pass(plane.meta, task, {}, true);
  const Tensor p = found.output.exp();  // the scores are log p
  for (int64_t query = 0; query < 2; ++query) {
    CHECK(p[0][query][0].item<double>() == Approx(0.33419761).epsilon(1e-7));
    CHECK(p[0][query][1].item<double>() == Approx(0.66580239).epsilon(1e-7));
  }
  CHECK(found.loss.item<double>() == Approx(-(std::log(0.33419761) + std::log(0.66580239)) / 2));
  CHECK(plane.method->predict(plane.meta, task, 5, {}).size() == 1);  // no gradient steps
}

TEST_CASE("matching: sums of cosines as logits are those of Ravi and Larochelle's code", "[meta]") {
  const FeaturePlane plane(matching(), {{"scores", "sum"}});
  const auto found = plane.method->pass(plane.meta, plane.task(oracle()), {}, true);
  CHECK(found.output[0][0][0].item<double>() == Approx(0.8));
  CHECK(found.output[0][0][1].item<double>() == Approx(1.56));
  const Tensor p = probabilities(found.output);
  CHECK(p[0][0][0].item<double>() == Approx(0.31864627).epsilon(1e-7));
  CHECK(p[0][0][1].item<double>() == Approx(0.68135373).epsilon(1e-7));
  CHECK(found.loss.item<double>() == Approx(-(std::log(0.31864627) + std::log(0.68135373)) / 2));
}

TEST_CASE("matching: scaled cosines have the probabilities worked out by hand, and no scale underflows",
          "[meta]") {
  const FeaturePlane ten(matching(), {{"scale", "10"}});
  const auto found = ten.method->pass(ten.meta, ten.task(oracle()), {}, true);
  // exp(8), exp(6) + exp(9.6), over their sum.
  CHECK(found.output[0][0][0].item<double>() == Approx(std::log(0.16424763)).epsilon(1e-7));
  CHECK(found.output[0][0][1].item<double>() == Approx(std::log(0.83575237)).epsilon(1e-7));
  const FeaturePlane most(matching(), {{"scale", "10000"}});
  const auto far = most.method->pass(most.meta, most.task(oracle()), {}, true);
  CHECK(far.output[0][0][0].item<double>() == Approx(-1600).epsilon(1e-9));
  CHECK(all_finite(far.gradient));
  CHECK(far.gradient.at("layer0.weight").abs().max().item<double>() > 1);
  const FeaturePlane sums(matching(), {{"scores", "sum"}, {"scale", "10"}});
  CHECK(sums.method->pass(sums.meta, sums.task(oracle()), {}, true).output[0][0][1].item<double>() ==
        Approx(15.6));
  CHECK_THROWS_WITH(FeaturePlane(matching(), {{"scale", "0"}}), contains("a number above 0"));
}

TEST_CASE("matching: features of zeros give finite scores and derivatives", "[meta]") {
  const FeaturePlane plane(matching());
  const auto task =
      plane.task(plane_episodes(points({0, 0, 0, 1}), labels({0, 1}), points({0, 0, 1, 1}), labels({0, 1})));
  const auto found = plane.method->pass(plane.meta, task, {}, true);
  CHECK(found.output[0][0][0].item<double>() == Approx(std::log(0.5)));
  CHECK(all_finite(found.gradient));
}

TEST_CASE("matching: the trained network has no last layer, and a data set without classes is refused",
          "[meta]") {
  CHECK(FeaturePlane(matching()).meta.names() == std::vector<std::string>{"layer0.weight", "layer0.bias"});
  const auto sine = make_dataset({.name = "sine"});
  const MethodContext context{
      .network =
          [](int64_t outputs) {
            return make_network({.name = "mlp", .own = {{"hidden", "2"}}}, {1}, outputs);
          },
      .dataset = sine.get()};
  CHECK_THROWS_WITH(matching().method({}, context), contains("matching needs classes"));
}
