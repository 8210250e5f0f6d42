#include <thread>

#include "base/error.h"
#include "tests/networks/mlp_cases.h"

namespace innerloop {
namespace {

// A point with entries of its own, a log-std [T, outputs] between the network's and a gain [T, 1] after them:
// what confuses their order is seen.
struct ObjectivePoint : MlpPoint {
  explicit ObjectivePoint(const MlpCase& at) : MlpPoint(at) {
    Stream stream(StreamKey{.seed = 9});
    const auto insert = [&](const Params& network) {
      std::vector<Params::Entry> entries(network.begin(), network.end());
      entries.insert(entries.begin() + 1, {"log_std", normal(stream, {tasks, at.config.outputs}, 0.3)});
      entries.push_back({"gain", normal(stream, {tasks, 1})});
      return Params(std::move(entries));
    };
    params = insert(params);
    direction = insert(direction);
  }
};

// -sum over samples of weight * log N(action | mean = gain y, exp(log_std)): a policy gradient's surrogate.
Head surrogate(const MlpPoint& at) {
  return [action = at.c, weight = at.ct.select(2, 0)](const torch::Tensor& y, const Params& own) {
    const auto log_std = own.at("log_std").unsqueeze(1);
    const auto log_prob =
        (-0.5 * ((action - own.at("gain").unsqueeze(1) * y) / log_std.exp()).square() - log_std).sum(2);
    return -(weight * log_prob).sum(1);
  };
}

// KL(N(mean, exp(log_std)) at the point || the same at y, own), mean over samples.
Head divergence(const MlpPoint& at) {
  const auto mean = at.mlp.forward(at.params, at.x).detach();
  const auto old = at.params.at("log_std").detach().unsqueeze(1);
  return [mean, old](const torch::Tensor& y, const Params& own) {
    const auto log_std = own.at("log_std").unsqueeze(1);
    const auto kl = log_std - old + ((2 * old).exp() + (mean - y).square()) / (2 * (2 * log_std).exp()) - 0.5;
    return kl.sum(2).mean(1);
  };
}

Params autograd_hessian_product(const MlpPoint& at, const Head& head) {
  const auto leaves = at.params.as_leaves();
  const auto loss = head(at.mlp.forward(leaves, at.x), leaves).sum();
  return autograd_gradient(dot(autograd_gradient(loss, leaves, /*create_graph=*/true), at.direction), leaves);
}

std::vector<MlpCase> cases() {
  std::vector<MlpCase> out;
  for (const auto activation : {Activation::kTanh, Activation::kRelu}) {
    for (const auto& hidden : std::vector<std::vector<int64_t>>{{}, {6}, {7, 3}, {64, 64}}) {
      out.push_back({{3, hidden, 2, activation}, 1, 130});
      out.push_back({{3, hidden, 2, activation}, 3, 17});
    }
  }
  return out;
}

TEST_CASE("loss, gradient and Hessian product are autograd's, own parameters included", "[objective]") {
  for (const auto& one : cases()) {
    const ObjectivePoint at(one);
    const auto head = surrogate(at);
    const MlpObjective objective(at.mlp, at.params, at.x, head);
    const auto leaves = at.params.as_leaves();
    const auto loss = head(at.mlp.forward(leaves, at.x), leaves);
    CHECK(error(objective.loss(), loss.detach()) < 1e-12);
    CHECK(error(objective.gradient(), autograd_gradient(loss.sum(), leaves)) < 1e-12);
    CHECK(error(objective.hessian_product(at.direction), autograd_hessian_product(at, head)) < 1e-11);
  }
}

TEST_CASE("gradient and Hessian product are the limits of differences", "[objective]") {
  const ObjectivePoint at(MlpCase{{3, {7, 4}, 2, Activation::kTanh}, 2, 40});
  const auto head = surrogate(at);
  const auto loss = [&](const Params& p) { return MlpObjective(at.mlp, p, at.x, head).loss().sum(); };
  const auto gradient = [&](const Params& p) { return MlpObjective(at.mlp, p, at.x, head).gradient(); };
  const MlpObjective objective(at.mlp, at.params, at.x, head);
  CHECK(error(dot(objective.gradient(), at.direction), difference(loss, at.params, at.direction)) < 1e-6);
  CHECK(error(objective.hessian_product(at.direction), difference(gradient, at.params, at.direction)) < 1e-6);
}

TEST_CASE("a linear network under squared error has the normal equations' Hessian", "[objective]") {
  // L = sum |W x + b - t|^2 / 2: H (V, v) = (R X, R 1) with R = V X + v 1^T; X holds samples as columns.
  const MlpPoint at(MlpCase{{3, {}, 2}, 2, 21});
  const Head squared = [&](const torch::Tensor& y, const Params&) {
    return (y - at.c).square().sum({1, 2}) / 2;
  };
  const MlpObjective objective(at.mlp, at.params, at.x, squared);
  const auto r = at.x.matmul(at.direction[0].transpose(1, 2)) + at.direction[1].unsqueeze(1);
  const auto expected = at.params.with({r.transpose(1, 2).matmul(at.x), r.sum(1)});
  CHECK(error(objective.hessian_product(at.direction), expected) < 1e-12);
  CHECK(error(objective.gauss_newton_product(at.direction), expected) <
        1e-12);  // a linear network has no curvature
}

TEST_CASE("where the head's gradient vanishes Gauss-Newton is the Hessian, elsewhere it is not",
          "[objective]") {
  for (const auto& one : cases()) {
    const ObjectivePoint at(one);
    const auto kl = divergence(at);
    const MlpObjective fisher(at.mlp, at.params, at.x, kl);
    const auto exact = autograd_hessian_product(at, kl);
    CHECK(error(fisher.gauss_newton_product(at.direction), exact) < 1e-11);
    CHECK(error(fisher.hessian_product(at.direction), exact) < 1e-11);
    CHECK(largest(exact.at("log_std")) > 0.1);

    if (one.config.hidden.empty()) continue;
    const MlpObjective curved(at.mlp, at.params, at.x, surrogate(at));
    CHECK(error(curved.gauss_newton_product(at.direction), curved.hessian_product(at.direction)) > 1e-2);
  }
}

TEST_CASE("the Fisher product of a Gaussian mean is J^T J v / (N sigma^2)", "[objective]") {
  const ObjectivePoint at(MlpCase{{2, {8}, 2, Activation::kTanh}, 1, 25});
  const MlpLinearization network(at.mlp, at.params, at.x);
  const auto variance = (2 * at.params.at("log_std").unsqueeze(1)).exp();
  const auto expected = network.pullback(network.pushforward(at.direction) / variance / 25.0);
  const auto product =
      MlpObjective(at.mlp, at.params, at.x, divergence(at)).gauss_newton_product(at.direction);
  CHECK(error(product.select(at.mlp.parameter_names()), expected) < 1e-12);
  CHECK(error(product.at("log_std"), 2 * at.direction.at("log_std")) < 1e-12);  // d2 KL / d log_std^2 = 2
}

TEST_CASE("a head that leaves something out has zeros there", "[objective]") {
  const ObjectivePoint at(MlpCase{{2, {5}, 2, Activation::kTanh}, 2, 6});
  const auto zeros = at.params.zeros_like();
  const auto objective = [&](const Head& head) { return MlpObjective(at.mlp, at.params, at.x, head); };

  const Head linear = [](const torch::Tensor& y, const Params&) {
    return y.sum({1, 2});
  };  // own entries unused
  const auto by_output = objective(linear);
  CHECK(largest(by_output.gradient().at("log_std")) == 0);
  CHECK(error(by_output.hessian_product(at.direction), autograd_hessian_product(at, linear)) < 1e-12);
  CHECK(identical(by_output.gauss_newton_product(at.direction), zeros));

  const auto by_own =
      objective([](const torch::Tensor&, const Params& own) { return own.at("log_std").square().sum(1); });
  CHECK(error(by_own.gradient().at("log_std"), 2 * at.params.at("log_std")) < 1e-15);
  CHECK(largest(by_own.gradient().at("layer0.weight")) == 0);
  CHECK(error(by_own.hessian_product(at.direction).at("log_std"), 2 * at.direction.at("log_std")) < 1e-15);

  const auto constant =
      objective([](const torch::Tensor&, const Params&) { return torch::ones({2}, torch::kFloat64); });
  CHECK(identical(constant.gradient(), zeros));
  CHECK(identical(constant.hessian_product(at.direction), zeros));
}

TEST_CASE("an objective works under NoGradGuard, in several threads, and leaves no graph behind",
          "[objective]") {
  const ObjectivePoint at(MlpCase{{2, {20, 10}, 2, Activation::kTanh}, 1, 200});
  const auto head = surrogate(at);
  const auto product = [&] {
    const at::NoGradGuard none;
    const MlpObjective objective(at.mlp, at.params.as_leaves(), at.x, head);
    for (const auto& entry : objective.gradient()) REQUIRE(!entry.value.requires_grad());
    REQUIRE(!objective.loss().requires_grad());
    return objective.hessian_product(at.direction);
  };
  const auto expected = autograd_hessian_product(at, head);
  std::vector<Params> results(3);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = product(); });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) {
    CHECK(error(result, expected) < 1e-11);
    CHECK(identical(result, results[0]));
    for (const auto& entry : result) CHECK(!entry.value.requires_grad());
  }
}

TEST_CASE("a head sees its own parameters only, and its shape is checked", "[objective]") {
  const ObjectivePoint at(MlpCase{{2, {5}, 2, Activation::kTanh}, 2, 6});
  const auto make = [&](const Head& head) { MlpObjective(at.mlp, at.params, at.x, head); };
  CHECK_THROWS_WITH(make([](const torch::Tensor&, const Params& own) { return own.at("layer0.weight"); }),
                    contains("layer0.weight"));
  CHECK_THROWS_WITH(make([](const torch::Tensor& y, const Params&) { return y.sum(); }),
                    contains("expected [2]"));
  const MlpObjective objective(at.mlp, at.params, at.x, surrogate(at));
  CHECK_THROWS_AS(objective.hessian_product(at.direction.select(at.mlp.parameter_names())), Error);
}

}  // namespace
}  // namespace innerloop
