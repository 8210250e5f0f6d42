#include "meta/algorithms/siamese.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/feature_plane.h"

using namespace innerloop;
using torch::Tensor;

namespace {

const double kSupport[2][2] = {{1, 0}, {0, 1}}, kQuery[2][2] = {{0.8, 0.6}, {0, 3}};

// Features are the two inputs themselves; alpha = (-1, -2), beta = 1. Class 0 at (1, 0) and (.8, .6), class 1
// at (0, 1) and (0, 3).
struct Plane : FeaturePlane {
  explicit Plane(const Texts& own, int64_t ways = 2) : FeaturePlane(siamese(), own, {ways, 1, 1}) {
    if (meta.at("siamese.alpha.weight").size(2) != 2) return;
    meta.at("siamese.alpha.weight").copy_(torch::tensor({{{-1.0, -2.0}}}, torch::kFloat64));
    meta.at("siamese.alpha.bias").fill_(1);
  }
  EpisodeTask task() const {
    const auto at = [](const double x[2][2]) {
      return torch::tensor({{{x[0][0], x[0][1]}, {x[1][0], x[1][1]}}}, torch::kFloat64);
    };
    const Tensor labels = torch::tensor({{0, 1}}, torch::kInt64);
    return {method->network(true),
            {.support_x = at(kSupport), .query_x = at(kQuery), .support_y = labels, .query_y = labels},
            {2, 1, 1},
            LossReduction::kMean,
            BatchNormMode::kNone};
  }
};

double entry(const Tensor& x, int64_t i) { return x.flatten()[i].item<double>(); }

}  // namespace

// |(.8, .6) - (1, 0)| = (.2, .6): 1 - .2 - 1.2 = -.4; |(.8, .6) - (0, 1)| = (.8, .4): 1 - .8 - .8 = -.6;
// |(0, 3) - (1, 0)| = (1, 3): -6; |(0, 3) - (0, 1)| = (0, 2): -3.
TEST_CASE("siamese: scores and loss of pairs are those worked out by hand", "[meta]") {
  const Plane plane({{"units", 0}, {"pairs", 6}});
  const auto task = plane.task();
  const Moment now{.seed = 3};
  const auto found = plane.method->pass(plane.meta, task, now, true);
  CHECK(entry(found.output, 0) == Approx(-0.4));
  CHECK(entry(found.output, 1) == Approx(-0.6));
  CHECK(entry(found.output, 2) == Approx(-6));
  CHECK(entry(found.output, 3) == Approx(-3));

  // By pairs of samples (1, 0), (0, 1), (.8, .6), (0, 3).
  const double logit[4][4] = {{1, -2, -0.4, -6}, {-2, 1, -0.6, -3}, {-0.4, -0.6, 1, -4.6}, {-6, -3, -4.6, 1}};
  const Tensor labels = torch::tensor({{0, 1, 0, 1}}, torch::kInt64);
  const auto pairs = siamese_pairs(labels, 6, now);
  double loss = 0;
  for (int64_t p = 0; p < 6; ++p) {
    const auto i = pairs.first[0][p].item<int64_t>(), j = pairs.second[0][p].item<int64_t>();
    const bool same = i % 2 == j % 2;
    CHECK(i != j);
    CHECK(same == (p % 2 == 0));
    CHECK(pairs.same[0][p].item<int64_t>() == (same ? 1 : 0));
    loss += std::log1p(std::exp((same ? -1 : 1) * logit[i][j])) / 6;
  }
  CHECK(found.loss.item<double>() == Approx(loss));

  const Plane penalised({{"units", 0}, {"pairs", 6}, {"l2", 0.1}});  // weights 1, 1, -1, -2
  CHECK(penalised.method->pass(penalised.meta, task, now, false).loss.item<double>() == Approx(loss + 0.7));
}

// One unit, W = (1, 2), b = -1: h of the samples sigma(0), sigma(1), sigma(1), sigma(5).
TEST_CASE("siamese: the compared layer is a sigmoid of a linear one", "[meta]") {
  Plane plane({{"units", 1}, {"pairs", 2}});
  plane.meta.at("siamese.layer.weight").copy_(torch::tensor({{{1.0, 2.0}}}, torch::kFloat64));
  plane.meta.at("siamese.layer.bias").fill_(-1);
  plane.meta.at("siamese.alpha.weight").fill_(-3);
  plane.meta.at("siamese.alpha.bias").fill_(0.5);
  const auto sigma = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto scores = plane.method->predict(plane.meta, plane.task(), 4, {.training = false});
  REQUIRE(scores.size() == 1);
  CHECK(entry(scores[0], 0) == Approx(0.5 - 3 * (sigma(1) - sigma(0))));
  CHECK(entry(scores[0], 1) == Approx(0.5));
  CHECK(entry(scores[0], 2) == Approx(0.5 - 3 * (sigma(5) - sigma(0))));
  CHECK(entry(scores[0], 3) == Approx(0.5 - 3 * (sigma(5) - sigma(1))));
}

TEST_CASE("siamese: the gradient equals finite differences with a penalty and without the compared layer",
          "[meta]") {
  const Texts own =
      GENERATE(Texts{{"units", 3}, {"pairs", 7}, {"l2", 0.05}}, Texts{{"units", 0}, {"l2", 0.05}});
  const Plane plane(own);
  const auto task = plane.task();
  const Params at = plane.meta + 0.1 * normal_like(plane.meta, 4);
  const auto found = check_gradient(
      [&](const Params& p) { return plane.method->pass(p, task, {}, false).loss.sum().item<double>(); },
      [&](const Params& p) { return plane.method->pass(p, task, {}, false).gradient; }, at, 1e-5);
  INFO(found.text());
  CHECK(found.relative < 1e-7);
}

namespace {

// Drawn characters of 14 x 14 pixels, two classes; features are 3 tanh units.
struct Drawn {
  std::unique_ptr<Dataset> dataset = make_dataset({.name = "strokes", .own = {{"image_size", 14}}});
  std::unique_ptr<Method> method;
  Params meta;
  Episodes episodes;

  explicit Drawn(const Texts& own, int64_t tasks = 1) {
    const EpisodeShape shape{.ways = 2, .shots = 1, .queries = 2};
    const MethodContext context{.inner = {.steps = 0},
                                .network =
                                    [](int64_t outputs) {
                                      return make_network(
                                          {.name = "mlp", .own = {{"hidden", "3"}, {"activation", "tanh"}}},
                                          {1, 14, 14}, outputs);
                                    },
                                .outputs = 2,
                                .dataset = dataset.get(),
                                .shape = shape};
    method = siamese().method(own, context);
    Stream stream(StreamKey{});
    meta = method->initial(stream).to(torch::kFloat64);
    episodes = make_episodes(dataset->spec(), shape, tasks, torch::kFloat64);
    for (int64_t t = 0; t < tasks; ++t) {
      Stream draws(StreamKey{.seed = 2, .task = static_cast<uint64_t>(t)});
      dataset->draw(Split::kTrain, shape, draws, episodes, t);
    }
  }
  Method::Outcome pass(const Params& at, const Moment& now = {}, int64_t first = 0, int64_t count = 1) const {
    const auto part = [&](const Tensor& x) { return x.narrow(0, first, count); };
    const EpisodeTask task(
        method->network(true),
        {part(episodes.support_x), part(episodes.query_x), part(episodes.support_y), part(episodes.query_y)},
        {2, 1, 2}, LossReduction::kMean, BatchNormMode::kNone);
    return method->pass(at, task, now, true);
  }
};

}  // namespace

TEST_CASE("siamese: the gradient on distorted pairs equals finite differences", "[meta]") {
  const Drawn drawn({{"units", 2}, {"pairs", 5}, {"distortions", 8}, {"l2", 0.05}});
  const auto found =
      check_gradient([&](const Params& p) { return drawn.pass(p).loss.sum().item<double>(); },
                     [&](const Params& p) { return drawn.pass(p).gradient; }, drawn.meta, 1e-5);
  INFO(found.text());
  CHECK(found.relative < 1e-6);
}

TEST_CASE("siamese: distortions are a task's and an iteration's own, and change nothing that is predicted",
          "[meta]") {
  const Texts plain_own{{"units", 2}, {"pairs", 30}},
      own{{"units", 2}, {"pairs", 30}, {"distortions", 1'000}};
  const Drawn plain(plain_own, 2), distorts(own, 2);
  const auto a = plain.pass(plain.meta, {.iteration = 3}, 0, 2),
             b = distorts.pass(plain.meta, {.iteration = 3}, 0, 2);
  CHECK(torch::equal(a.output, b.output));
  CHECK_FALSE(torch::allclose(a.loss, b.loss, 1e-4, 0));
  const auto second = distorts.pass(plain.meta, {.iteration = 3, .first_task = 1}, 1, 1);
  CHECK(torch::allclose(second.loss[0], b.loss[1]));
  CHECK(torch::equal(b.loss, distorts.pass(plain.meta, {.iteration = 3}, 0, 2).loss));
  // Of one pair in two nothing is left where there is one copy beside it: the loss lies between.
  const Drawn half({{"units", 2}, {"pairs", 30}, {"distortions", 1}}, 2);
  const auto c = half.pass(plain.meta, {.iteration = 3}, 0, 2);
  CHECK_FALSE(torch::allclose(c.loss, a.loss, 1e-5, 0));
  CHECK_FALSE(torch::allclose(c.loss, b.loss, 1e-5, 0));
  CHECK_THROWS_WITH(Plane({{"distortions", 8}}),
                    contains("siamese.distortions: 8 found") && contains("no images"));
}

TEST_CASE("siamese: pairs are drawn for each task and moment, of all classes and samples", "[meta]") {
  const Tensor labels = torch::arange(5, torch::kInt64).repeat({2, 3});
  const auto one = siamese_pairs(labels, 400, {.seed = 1}), other = siamese_pairs(labels, 400, {.seed = 2});
  CHECK_FALSE(torch::equal(one.first, other.first));
  CHECK_FALSE(torch::equal(one.first[0], one.first[1]));
  const auto second_task = siamese_pairs(labels.narrow(0, 1, 1), 400, {.seed = 1, .first_task = 1});
  CHECK(torch::equal(one.second[1], second_task.second[0]));
  CHECK(one.same.sum().item<int64_t>() == 400);
  for (const auto& place : {one.first, one.second}) {
    CHECK(torch::one_hot(place, 15).sum(1).min().item<int64_t>() > 10);
  }
}

TEST_CASE("siamese: what it learns does not depend on ways, of which one is too few", "[meta]") {
  const Plane two({{"units", 3}}), five({{"units", 3}}, 5);
  Stream a(StreamKey{}), b(StreamKey{});
  CHECK(identical(two.method->initial(a), five.method->initial(b)));
  CHECK_THROWS_WITH(Plane({}, 1), contains("dataset.ways: 1 found"));
  const auto sine = make_dataset({.name = "sine"});
  CHECK_THROWS_WITH(siamese().method({}, {.dataset = sine.get()}), contains("needs classes"));
}
