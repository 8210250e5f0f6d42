#include "meta/algorithms/reptile.h"

#include <algorithm>

#include "tests/meta/algorithms/scalar_task.h"

using namespace innerloop;

namespace {

Params number(double value) { return Params({{"p", torch::full({1, 1}, value, torch::kFloat64)}}); }

// Where Adam's steps lead from 0 with these gradients.
std::vector<double> adam_path(const std::vector<double>& gradients) {
  const auto rule = adam_without_momentum(1e-3);
  const torch::Tensor loss = torch::zeros({1}, torch::kFloat64);
  Params phi = number(0), state = rule->initial_state({}, phi);
  std::vector<double> path;
  for (size_t k = 0; k < gradients.size(); ++k) {
    const auto out =
        rule->update({{}, phi, number(gradients[k]), state, loss, static_cast<int64_t>(k), /*scale=*/1});
    phi = out.phi;
    state = out.state;
    path.push_back(phi[0].item<double>());
  }
  return path;
}

void check_path(const std::vector<double>& gradients, const std::vector<double>& expected) {
  const auto path = adam_path(gradients);
  REQUIRE(path.size() == expected.size());
  for (size_t k = 0; k < path.size(); ++k) CHECK(std::abs(path[k] - expected[k]) < 1e-11);
}

// Two tasks of three samples each, for a network that is linear in its input.
struct Lines {
  EpisodeShape shape{.ways = 1, .shots = 3, .queries = 2};
  MethodContext context;
  Episodes episodes;

  explicit Lines(const InnerLoopConfig& inner)
      : context{.inner = inner,
                .network =
                    [](int64_t outputs) {
                      return make_network({.name = "mlp", .own = {{"hidden", ""}}}, {1}, outputs);
                    },
                .outputs = 1,
                .shape = shape},
        episodes{.support_x = torch::tensor({1., 2., 4., -1., 3., 5.}, torch::kFloat64).view({2, 3, 1}),
                 .query_x = torch::tensor({1., 2., 3., 4.}, torch::kFloat64).view({2, 2, 1}),
                 .support_y = torch::tensor({2., -1., 3., 1., 0., 7.}, torch::kFloat64).view({2, 3, 1}),
                 .query_y = torch::tensor({1., 0., 2., 5.}, torch::kFloat64).view({2, 2, 1})} {}

  EpisodeTask task(const Network& network) const {
    return {network, episodes, shape, LossReduction::kMean, BatchNormMode::kNone};
  }

  Params start() const {
    Stream stream(StreamKey{5});
    return context.network(1)->initial(stream).to(torch::kFloat64);
  }
};

}  // namespace

TEST_CASE("reptile moves towards what two plain steps make of the initialisation", "[meta]") {
  // (phi - 1)^2 with alpha .05 steps as (phi - 1)^2 / 2 with .1: 0, .1, .19.
  const auto found =
      adapt_scalar(*scalar_method(reptile(), {{"optimizer", "sgd"}}, {.steps = 2, .step_size = 0.05}), 0);
  CHECK(found.phi == Approx(0.19));
  CHECK(found.loss == Approx(0.19 * 0.19 / 2));
  CHECK(0 - 0.5 * found.gradient == Approx(0.095));  // eps = .5

  const auto last =
      adapt_scalar(*scalar_method(reptile(), {{"optimizer", "sgd"}, {"last_gradient_only", true}},
                                  {.steps = 2, .step_size = 0.05}),
                   0);
  CHECK(last.phi == Approx(0.19));
  CHECK(last.gradient == Approx(-0.09));

  // Two steps on one quadratic of Hessian h = 2 and first gradient g = 2 (3 - 1): alpha g (2 - alpha h).
  const auto two =
      adapt_scalar(*scalar_method(reptile(), {{"optimizer", "sgd"}}, {.steps = 2, .step_size = 0.1}), 3);
  CHECK(two.gradient == Approx(0.1 * 4 * (2 - 0.1 * 2)));
}

TEST_CASE("reptile's inner Adam steps are those worked out by hand", "[meta]") {
  check_path({1, 1, 1}, {-.00099999968, -.00199999946, -.00299999928});
  check_path({1, .5, .1}, {-.00099999968, -.00163254997, -.00178691396});
  CHECK(adam_path({0, 0}) == std::vector<double>{0, 0});
  CHECK(std::abs(adam_path({1, .5}).back() - adam_path({1, 1}).back()) > 1e-4);

  const auto found = adapt_scalar(*scalar_method(reptile(), {}, {.steps = 1, .step_size = 1e-3}), 0);
  CHECK(std::abs(found.gradient + .001) < 1e-8);
}

TEST_CASE("a mini-batch of reptile continues the pass of the one before it", "[meta]") {
  const Stream stream(StreamKey{3, Purpose::kTest});
  std::vector<int64_t> seen;
  for (int64_t step = 0; step < 5; ++step) {
    const auto slice = mini_batch(stream, 5, 3, step);
    CHECK(slice.size() == 3);
    seen.insert(seen.end(), slice.begin(), slice.end());
  }
  std::vector<std::vector<int64_t>> passes;
  for (auto at = seen.begin(); at != seen.end(); at += 5) {
    passes.emplace_back(at, at + 5);
    std::vector<int64_t> sorted = passes.back();
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == std::vector<int64_t>{0, 1, 2, 3, 4});
  }
  CHECK(passes[0] != passes[1]);
  CHECK(mini_batch(stream, 2, 5, 0).size() == 5);  // more than one pass
  CHECK(mini_batch(Stream(StreamKey{4, Purpose::kTest}), 5, 5, 0) != passes[0]);
}

TEST_CASE("reptile adapts on mini-batches and moves by the sum over tasks", "[meta]") {
  const Lines lines({.steps = 3, .step_size = 0.05});
  const Params theta = lines.start();
  const Moment now{.seed = 8, .iteration = 2, .first_task = 4};
  const auto method = reptile().method({{"optimizer", "sgd"}, {"mini_batch", 2}}, lines.context);
  const EpisodeTask task = lines.task(method->network(true));
  const Params found = method->pass(theta, task, now, false).gradient;

  // Least squares by hand: the weight a and the offset b of y = a x + b.
  const auto expected = [&](bool whole) {
    double to_weight = 0, to_bias = 0;
    for (int64_t t = 0; t < 2; ++t) {
      double a = theta[0].item<double>(), b = theta[1].item<double>();
      for (int64_t k = 0; k < 3; ++k) {
        const auto samples = whole ? std::vector<int64_t>{0, 1, 2} : mini_batch(now.stream(t), 3, 2, k);
        double da = 0, db = 0;
        for (const int64_t i : samples) {
          const double x = lines.episodes.support_x[t][i].item<double>();
          const double error = a * x + b - lines.episodes.support_y[t][i].item<double>();
          da += 2 * error * x / static_cast<double>(samples.size());
          db += 2 * error / static_cast<double>(samples.size());
        }
        a -= 0.05 * da;
        b -= 0.05 * db;
      }
      to_weight += theta[0].item<double>() - a;
      to_bias += theta[1].item<double>() - b;
    }
    return std::pair{to_weight, to_bias};
  };
  CHECK(found[0].item<double>() == Approx(expected(false).first));
  CHECK(found[1].item<double>() == Approx(expected(false).second));
  CHECK(found[0].item<double>() != Approx(expected(true).first));

  // evaluation_mini_batch is 0 here: held-out tasks adapt on the whole set.
  Moment held_out = now;
  held_out.training = false;
  CHECK(method->pass(theta, task, held_out, false).gradient[0].item<double>() ==
        Approx(expected(true).first));
}

TEST_CASE("reptile refuses what it cannot do, naming the key", "[meta]") {
  const auto of_policies = [](const Texts& own, int64_t steps) {
    return scalar_method(reptile(), own, {.steps = steps, .step_size = 0.1});
  };
  CHECK_THROWS_WITH(of_policies({{"mini_batch", 2}}, 1), contains("reptile.mini_batch: 2 found"));
  CHECK_THROWS_WITH(of_policies({{"evaluation_mini_batch", 2}}, 1),
                    contains("reptile.evaluation_mini_batch: 2 found"));
  CHECK_THROWS_WITH(of_policies({}, 0), contains("inner.steps"));
  CHECK_THROWS_WITH(adam_without_momentum(0), contains("inner.step_size"));
  CHECK_NOTHROW(of_policies({}, 1));
}
