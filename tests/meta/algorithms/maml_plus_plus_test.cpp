#include "meta/algorithms/maml_plus_plus.h"

#include <numeric>

#include "base/error.h"
#include "datasets/dataset.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/scalar_task.h"

using namespace innerloop;

namespace {

constexpr int64_t kLate = 100000;  // an iteration after all annealing

ScalarOutcome outcome(const Texts& own, bool first_order, const std::vector<double>& rates,
                      const Moment& now) {
  const auto method = scalar_method(
      maml_plus_plus(), own,
      {.steps = static_cast<int64_t>(rates.size()), .step_size = 0.1, .first_order = first_order});
  const ScalarTask task;
  Stream stream(StreamKey{});
  Params meta = method->initial(stream).cloned();
  meta[0].fill_(3);
  for (size_t k = 0; k < rates.size(); ++k) meta.at("inner.rate.p")[0][static_cast<int64_t>(k)] = rates[k];
  const auto adaptation = method->inner().adapt(meta, task, now);
  const auto at = method->objective().at(adaptation, task, now);
  CHECK(method->objective().value(adaptation, task, now).item<double>() == Approx(at.loss.item<double>()));
  return {adaptation.adapted()[0].item<double>(), at.loss.item<double>(), 0, meta_gradient(at, adaptation)};
}

double rate_gradient(const ScalarOutcome& found, int64_t step) {
  return found.meta.at("inner.rate.p")[0][step].item<double>();
}

}  // namespace

// L_support = (phi - 1)^2, L_query = phi^2 / 2, theta = 3, rates (.1, .2): phi_1 = 2.6, phi_2 = 1.96.
TEST_CASE("maml_plus_plus: two steps with rates of their own have the gradients worked out by hand",
          "[meta]") {
  const auto second = outcome({}, false, {0.1, 0.2}, {.iteration = kLate});
  CHECK(second.phi == Approx(1.96));
  CHECK(second.loss == Approx(1.9208));
  CHECK(second.meta.at("p").item<double>() == Approx(0.9408));
  CHECK(rate_gradient(second, 0) == Approx(-4.704));
  CHECK(rate_gradient(second, 1) == Approx(-6.272));
  const auto first = outcome({}, true, {0.1, 0.2}, {.iteration = kLate});
  CHECK(first.meta.at("p").item<double>() == Approx(1.96));
  CHECK(rate_gradient(first, 0) == Approx(-7.84));
  CHECK(rate_gradient(first, 1) == Approx(-6.272));
}

TEST_CASE("maml_plus_plus: the multi-step loss has the published weights, which anneal to the last step",
          "[meta]") {
  const auto weights = [](int64_t epochs, int64_t epoch) { return multi_step_weights(5, epochs, epoch); };
  for (const double v : weights(10, 0)) CHECK(v == Approx(0.2));
  CHECK(weights(10, 5)[0] == Approx(0.1));
  CHECK(weights(10, 5)[4] == Approx(0.6));
  CHECK(weights(10, 9)[3] == Approx(0.02));
  CHECK(weights(10, 9)[4] == Approx(0.92));
  CHECK(weights(15, 7)[0] == Approx(.1066667).epsilon(1e-6));
  CHECK(weights(15, 14)[4] == Approx(.9466667).epsilon(1e-6));
  CHECK(weights(10, 10) == std::vector<double>{0, 0, 0, 0, 1});
  for (int64_t e = 0; e < 12; ++e) {
    const auto v = weights(10, e);
    CHECK(std::accumulate(v.begin(), v.end(), 0.0) == Approx(1));
  }
  // Weights (.5, .5) at epoch 0: L = (2.6^2 + 1.96^2) / 4.
  const Texts own{{"first_order_epochs", -1}};
  const auto found = outcome(own, false, {0.1, 0.2}, {.iteration = 0});
  CHECK(found.loss == Approx(2.6504));
  CHECK(found.meta.at("p").item<double>() == Approx(1.5104));
  const Texts off{{"first_order_epochs", -1}, {"multi_step", false}};
  CHECK(outcome(off, false, {0.1, 0.2}, {.iteration = 0}).loss == Approx(1.9208));
  CHECK(outcome(own, false, {0.1, 0.2}, {.training = false}).loss == Approx(1.9208));
}

TEST_CASE("maml_plus_plus: the order of the derivatives anneals by epochs", "[meta]") {
  const Texts own{{"multi_step", false}, {"first_order_epochs", 2}, {"epoch", 10}};
  const auto gradient = [&](int64_t iteration) {
    return outcome(own, false, {0.1, 0.2}, {.iteration = iteration}).meta.at("p").item<double>();
  };
  CHECK(gradient(0) == Approx(1.96));
  CHECK(gradient(29) == Approx(1.96));
  CHECK(gradient(30) == Approx(0.9408));
}

TEST_CASE("maml_plus_plus: every step reads norms of its own, and more steps than trained read the last",
          "[meta]") {
  const EpisodeShape shape{.ways = 3, .shots = 2, .queries = 2};
  const auto dataset = make_dataset({.name = "strokes", .own = {{"image_size", 14}}});
  const MethodContext context{.inner = {.steps = 2, .step_size = 0.1},
                              .network =
                                  [](int64_t outputs) {
                                    return make_network(
                                        {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 3}}},
                                        {1, 14, 14}, outputs);
                                  },
                              .outputs = 3,
                              .dataset = dataset.get(),
                              .shape = shape};
  const auto method = maml_plus_plus().method({}, context);
  Stream stream(StreamKey{5, Purpose::kTest});
  const Params meta = method->initial(stream);
  CHECK(meta.contains("norm1.bias.step0"));
  CHECK(meta.contains("norm4.bias.step1"));
  CHECK_FALSE(meta.contains("norm1.bias.step2"));
  CHECK_FALSE(meta.contains("norm1.bias"));
  CHECK_FALSE(meta.contains("inner.rate.norm1.bias.step0"));  // the outer loop's alone

  const TaskSource source(*dataset, shape, 1);
  const EpisodeTask task(method->network(true), source.tasks(0, 0, 1), shape, LossReduction::kMean,
                         BatchNormMode::kBatch);
  const auto gradient = method->pass(meta, task, {.iteration = kLate}, false).gradient;
  CHECK(gradient.at("norm2.bias.step0").abs().max().item<double>() > 1e-6);
  CHECK(gradient.at("norm2.bias.step1").abs().max().item<double>() > 1e-6);

  const auto shifted = [&](const std::string& name) {
    Params moved = meta.cloned();
    moved.at(name).add_(0.3);
    return method->predict(moved, task, 4, {.training = false});
  };
  const auto plain = method->predict(meta, task, 4, {.training = false});
  const auto first = shifted("norm3.bias.step0"), last = shifted("norm3.bias.step1");
  CHECK(plain.size() == 5);
  CHECK_FALSE(torch::equal(plain[0], first[0]));
  CHECK(torch::equal(plain[0], last[0]));
  CHECK(torch::equal(plain[1], last[1]));  // the query after step 0 reads slot 0
  CHECK_FALSE(torch::equal(plain[2], last[2]));
  CHECK_FALSE(torch::equal(plain[4], last[4]));
}
