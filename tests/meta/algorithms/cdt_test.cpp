#include "meta/algorithms/cdt.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/algorithms/domain_batches.h"
#include "meta/algorithms/domain_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor matrix(double a, double b) {
  return torch::tensor({a, 0.0, 0.0, b}, torch::kFloat64).view({1, 1, 2, 2});
}

Tensor normal(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros(sizes, torch::kFloat64)}}), seed)[0];
}

// Two identities; only the first's triplet has the positive (.8, .6) and the negative (0, 1).
DomainPairs two() {
  const auto of = [](std::vector<double> flat) {
    return torch::tensor(flat, torch::kFloat64).view({1, 1, 2, 2});
  };
  return {of({1, 0, 0, 1}), of({0.8, 0.6, 0, 1})};
}

}  // namespace

// a = (1,0), p = (.8,.6), n = (0,1): (a-p)' diag(1,2) (a-p) = .04 + .72 = .76; (a-n)' diag(2,.5) (a-n) = 2.5.
// Of the second, a = p = (0,1), n = (.8,.6): 0 and .64 x 2 + .16 x .5 = 1.36.
TEST_CASE("cdt: triplets under another domain's metric are those worked out by hand", "[meta]") {
  const Tensor positive = matrix(1, 2), negative = matrix(2, 0.5);
  const auto loss = [&](double tau) {
    return cross_domain_triplet_loss(two(), positive, negative, tau).item<double>();
  };
  CHECK(loss(1) == Approx(0).margin(1e-12));
  CHECK(loss(2) == Approx((0.26 + 0.64) / 2));
  CHECK(loss(1.8) == Approx((0.06 + 0.44) / 2));
  CHECK(loss(1.5) == Approx((0 + 0.14) / 2));
  // Two metrics: the mean over them; under the identity 1 + .4 - 2 + tau and tau - .8.
  const Tensor both = torch::cat({positive, matrix(1, 1)}, 1), far = torch::cat({negative, matrix(1, 1)}, 1);
  CHECK(cross_domain_triplet_loss(two(), both, far, 2).item<double>() ==
        Approx((0.45 + (0.4 - 2 + 2 + 2 - 0.8) / 2) / 2));
}

TEST_CASE("cdt: covariances are the means over a domain's pairs of one and of two identities", "[meta]") {
  const DomainPairs pairs{normal({2, 3, 4, 5}, 1), normal({2, 3, 4, 5}, 2)};
  const auto [positive, negative] = pair_covariances(pairs);
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t d = 0; d < 3; ++d) {
      Tensor same = torch::zeros({5, 5}, torch::kFloat64), other = torch::zeros({5, 5}, torch::kFloat64);
      for (int64_t i = 0; i < 4; ++i) {
        for (int64_t j = 0; j < 4; ++j) {
          const Tensor r = (pairs.gallery[t][d][i] - pairs.probe[t][d][j]).unsqueeze(1);
          (i == j ? same : other) += r.matmul(r.transpose(0, 1)) / (i == j ? 4 : 12);
        }
      }
      CHECK(torch::allclose(positive[t][d], same));
      CHECK(torch::allclose(negative[t][d], other));
    }
  }
}

// The update by its definition, with and without the gradient through the metrics, against differences.
TEST_CASE("cdt: the update equals differences of its definition", "[meta]") {
  const auto data = make_dataset({.name = "styled_strokes", .own = {{"image_size", 14}}});
  const EpisodeShape shape{3, 1, 1};
  MethodContext context{.inner = {.steps = 1, .step_size = 0.05},
                        .network =
                            [](int64_t outputs) {
                              return make_network(
                                  {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 3}}},
                                  {1, 14, 14}, outputs);
                            },
                        .outputs = 3,
                        .dataset = data.get(),
                        .shape = shape,
                        .tasks = 3};
  const Texts own{{"embedding", 4}, {"scale", 6}, {"lambda", 0.4}, {"tau", 0.8}};
  const auto method = cdt().method(own, context);
  Stream stream(StreamKey{});
  const Params start = method->initial(stream).to(torch::kFloat64);
  const Params meta = start + 0.05 * normal_like(start, 4);
  Episodes e = method->draw(TaskSource(*data, shape, 1), {.first_task = 1}, 1);
  // Noise: no two numbers are equal, so that no unit switches within a difference.
  e.support_x = normal(e.support_x.sizes().vec(), 21);
  e.query_x = normal(e.query_x.sizes().vec(), 22);
  const EpisodeTask task(method->network(true), e, shape, LossReduction::kMean, BatchNormMode::kBatch);
  const DomainBatches batches("cdt", context);
  const auto expected_loss = [&](const Params& p) {
    const torch::AutoGradMode graph(true);
    std::vector<Tensor> leaves;
    for (const auto& entry : p) leaves.push_back(entry.value.detach().clone().requires_grad_(true));
    const Params theta = p.with(leaves);
    const Tensor scores = template_scores(task.forward(Part::kSupport, theta, method->network(true)),
                                          theta.at("cdt.templates"), 6);
    const Tensor train =
        mean_cross_entropy(within_domain(scores, e.support_y, batches.domain_of_class()), e.support_y);
    const auto gradient = torch::autograd::grad({train.sum()}, leaves);
    std::vector<Tensor> moved;
    for (size_t i = 0; i < leaves.size(); ++i) moved.push_back((leaves[i] - 0.05 * gradient[i]).detach());
    const DomainPairs all = domain_pairs(task.forward(Part::kBoth, p.with(moved), method->network(true)), 3);
    const auto [positive, negative] =
        pair_covariances({all.gallery.narrow(1, 0, 2), all.probe.narrow(1, 0, 2)});
    const Tensor test = cross_domain_triplet_loss({all.gallery.narrow(1, 2, 1), all.probe.narrow(1, 2, 1)},
                                                  positive, negative, 0.8);
    return (0.4 * train + 0.6 * test).detach().item<double>();
  };
  const auto found = method->pass(meta, task, {.first_task = 1}, false);
  CHECK(found.loss.item<double>() == Approx(expected_loss(meta)).epsilon(1e-9));
  const Params direction = normal_like(meta, 9);
  constexpr double kStep = 1e-6;
  const double difference =
      (expected_loss(meta + kStep * direction) - expected_loss(meta - kStep * direction)) / (2 * kStep);
  CHECK(flatten(found.gradient).mul(flatten(direction)).sum().item<double>() ==
        Approx(difference).epsilon(1e-5));

  Texts fixed = own;
  fixed.set("metric_gradient", "false");
  const auto without = cdt().method(fixed, context)->pass(meta, task, {.first_task = 1}, false);
  CHECK(without.loss.item<double>() == Approx(found.loss.item<double>()));
  CHECK(std::abs(flatten(without.gradient).mul(flatten(direction)).sum().item<double>() - difference) >
        1e-4 * std::abs(difference));
  context.inner.first_order = true;
  const auto first_order = cdt().method(own, context)->pass(meta, task, {.first_task = 1}, false);
  CHECK(std::abs(flatten(first_order.gradient).mul(flatten(direction)).sum().item<double>() - difference) >
        1e-4 * std::abs(difference));
}
