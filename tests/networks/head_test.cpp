#include "networks/head.h"

#include <thread>

#include "base/error.h"
#include "networks/output_loss.h"
#include "networks/tensors/derivatives.h"
#include "networks/tensors/gradient_check.h"
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

using Loss = std::function<torch::Tensor(const torch::Tensor& y, const Params& own)>;

// `loss` on the MLP's output, reading what is not the MLP's.
std::unique_ptr<ComposedLoss> on_mlp(const MlpPoint& at, const Params& params, const Loss& loss,
                                     bool separable = true) {
  std::vector<std::string> reads;
  for (const auto* own : {"log_std", "gain"}) {
    if (params.contains(own)) reads.emplace_back(own);
  }
  return compose(std::make_unique<MlpLinearization>(at.mlp, params, at.x), make_head(loss, reads, separable),
                 params);
}

// -sum over samples of weight * log N(action | mean = gain y, exp(log_std)): a policy gradient's surrogate.
Loss surrogate(const MlpPoint& at) {
  return [action = at.c, weight = at.ct.select(2, 0)](const torch::Tensor& y, const Params& own) {
    const auto log_std = own.at("log_std").unsqueeze(1);
    const auto log_prob =
        (-0.5 * ((action - own.at("gain").unsqueeze(1) * y) / log_std.exp()).square() - log_std).sum(2);
    return -(weight * log_prob).sum(1);
  };
}

// KL(N(mean, exp(log_std)) at the point || the same at y, own), mean over samples.
Loss divergence(const MlpPoint& at) {
  const auto mean = at.mlp.forward(at.params, at.x).detach();
  const auto old = at.params.at("log_std").detach().unsqueeze(1);
  return [mean, old](const torch::Tensor& y, const Params& own) {
    const auto log_std = own.at("log_std").unsqueeze(1);
    const auto kl = log_std - old + ((2 * old).exp() + (mean - y).square()) / (2 * (2 * log_std).exp()) - 0.5;
    return kl.sum(2).mean(1);
  };
}

Params autograd_hessian_product(const MlpPoint& at, const Loss& head) {
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

TEST_CASE("loss, gradient and Hessian product are autograd's, own parameters included", "[head]") {
  for (const auto& one : cases()) {
    const ObjectivePoint at(one);
    const auto head = surrogate(at);
    const auto objective = on_mlp(at, at.params, head);
    const auto leaves = at.params.as_leaves();
    const auto loss = head(at.mlp.forward(leaves, at.x), leaves);
    CHECK(error(objective->loss(), loss.detach()) < 1e-12);
    CHECK(error(objective->gradient(), autograd_gradient(loss.sum(), leaves)) < 1e-12);
    CHECK(error(objective->hessian_product(at.direction), autograd_hessian_product(at, head)) < 1e-11);
  }
}

TEST_CASE("gradient and Hessian product are the limits of differences", "[head]") {
  const ObjectivePoint at(MlpCase{{3, {7, 4}, 2, Activation::kTanh}, 2, 40});
  const auto head = surrogate(at);
  const auto loss = [&](const Params& p) { return on_mlp(at, p, head)->loss().sum(); };
  const auto gradient = [&](const Params& p) { return on_mlp(at, p, head)->gradient().cloned(); };
  const auto objective = on_mlp(at, at.params, head);
  CHECK(error(dot(objective->gradient(), at.direction), difference(loss, at.params, at.direction)) < 1e-6);
  CHECK(error(objective->hessian_product(at.direction), difference(gradient, at.params, at.direction)) <
        1e-6);
}

TEST_CASE("a linear network under squared error has the normal equations' Hessian", "[head]") {
  // L = sum |W x + b - t|^2 / 2: H (V, v) = (R X, R 1) with R = V X + v 1^T; X holds samples as columns.
  const MlpPoint at(MlpCase{{3, {}, 2}, 2, 21});
  const Loss squared = [&](const torch::Tensor& y, const Params&) {
    return (y - at.c).square().sum({1, 2}) / 2;
  };
  const auto objective = on_mlp(at, at.params, squared);
  const auto r = at.x.matmul(at.direction[0].transpose(1, 2)) + at.direction[1].unsqueeze(1);
  const auto expected = at.params.with({r.transpose(1, 2).matmul(at.x), r.sum(1)});
  CHECK(error(objective->hessian_product(at.direction), expected) < 1e-12);
  CHECK(error(objective->gauss_newton_product(at.direction), expected) <
        1e-12);  // a linear network has no curvature
}

TEST_CASE("where the head's gradient vanishes Gauss-Newton is the Hessian, elsewhere it is not", "[head]") {
  for (const auto& one : cases()) {
    const ObjectivePoint at(one);
    const auto kl = divergence(at);
    const auto fisher = on_mlp(at, at.params, kl);
    const auto exact = autograd_hessian_product(at, kl);
    CHECK(error(fisher->gauss_newton_product(at.direction), exact) < 1e-11);
    CHECK(error(fisher->hessian_product(at.direction), exact) < 1e-11);
    CHECK(largest(exact.at("log_std")) > 0.1);

    if (one.config.hidden.empty()) continue;
    const auto curved = on_mlp(at, at.params, surrogate(at));
    CHECK(error(curved->gauss_newton_product(at.direction), curved->hessian_product(at.direction)) > 1e-2);
  }
}

TEST_CASE("the Fisher product of a Gaussian mean is J^T J v / (N sigma^2)", "[head]") {
  const ObjectivePoint at(MlpCase{{2, {8}, 2, Activation::kTanh}, 1, 25});
  MlpLinearization network(at.mlp, at.params, at.x);
  const auto variance = (2 * at.params.at("log_std").unsqueeze(1)).exp();
  const auto expected = network.pullback(network.pushforward(at.direction) / variance / 25.0);
  const auto product = on_mlp(at, at.params, divergence(at))->gauss_newton_product(at.direction);
  CHECK(error(product.select(at.mlp.parameter_names()), expected) < 1e-12);
  CHECK(error(product.at("log_std"), 2 * at.direction.at("log_std")) < 1e-12);  // d2 KL / d log_std^2 = 2
}

TEST_CASE("a head that leaves something out has zeros there", "[head]") {
  const ObjectivePoint at(MlpCase{{2, {5}, 2, Activation::kTanh}, 2, 6});
  const auto zeros = at.params.zeros_like();
  const auto objective = [&](const Loss& head) { return on_mlp(at, at.params, head); };

  const Loss linear = [](const torch::Tensor& y, const Params&) {
    return y.sum({1, 2});
  };  // own entries unused
  const auto by_output = objective(linear);
  CHECK(largest(by_output->gradient().at("log_std")) == 0);
  CHECK(error(by_output->hessian_product(at.direction), autograd_hessian_product(at, linear)) < 1e-12);
  CHECK(identical(by_output->gauss_newton_product(at.direction), zeros));

  const auto by_own =
      objective([](const torch::Tensor&, const Params& own) { return own.at("log_std").square().sum(1); });
  CHECK(error(by_own->gradient().at("log_std"), 2 * at.params.at("log_std")) < 1e-15);
  CHECK(largest(by_own->gradient().at("layer0.weight")) == 0);
  CHECK(error(by_own->hessian_product(at.direction).at("log_std"), 2 * at.direction.at("log_std")) < 1e-15);

  const auto constant =
      objective([](const torch::Tensor&, const Params&) { return torch::ones({2}, torch::kFloat64); });
  CHECK(identical(constant->gradient(), zeros));
  CHECK(identical(constant->hessian_product(at.direction), zeros));
}

TEST_CASE("a composed loss works under NoGradGuard, in several threads, and leaves no graph behind",
          "[head]") {
  const ObjectivePoint at(MlpCase{{2, {20, 10}, 2, Activation::kTanh}, 1, 200});
  const auto head = surrogate(at);
  const auto product = [&] {
    const at::NoGradGuard none;
    const auto objective = on_mlp(at, at.params.as_leaves(), head);
    for (const auto& entry : objective->gradient()) REQUIRE(!entry.value.requires_grad());
    REQUIRE(!objective->loss().requires_grad());
    return objective->hessian_product(at.direction);
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

TEST_CASE("a head sees what it reads and nothing else, and its shape is checked", "[head]") {
  const ObjectivePoint at(MlpCase{{2, {5}, 2, Activation::kTanh}, 2, 6});
  const auto make = [&](const Loss& loss) { on_mlp(at, at.params, loss); };
  CHECK_THROWS_WITH(make([](const torch::Tensor&, const Params& own) { return own.at("layer0.weight"); }),
                    contains("layer0.weight"));
  CHECK_THROWS_WITH(make([](const torch::Tensor& y, const Params&) { return y.sum(); }),
                    contains("expected [2]"));
  const auto head = make_head([](const torch::Tensor& y, const Params&) { return y.sum({1, 2}); }, {"gian"});
  CHECK_THROWS_WITH(compose(std::make_unique<MlpLinearization>(at.mlp, at.params, at.x), head, at.params),
                    contains("did you mean 'gain'"));
  CHECK_THROWS_WITH(head_loss(*head, at.c, at.params), contains("did you mean 'gain'"));
  const auto composed = on_mlp(at, at.params, surrogate(at));
  CHECK_THROWS_AS(composed->hessian_product(at.direction.select(at.mlp.parameter_names())), Error);
  CHECK_THROWS_WITH(composed->hessian_product(at.direction.with([&] {
    auto values = at.direction.tensors();
    values.back() = values.back().expand({2, 3});
    return values;
  }())),
                    contains("'gain' is [2, 3], expected [2, 1]"));
}

// A learned loss that looks at the weights: psi weighs the outputs' errors, the first layer's weights are
// pulled towards psi times the last layer's bias.
Loss looks_at_weights(const MlpPoint& at) {
  return [c = at.c](const torch::Tensor& y, const Params& own) {
    const auto psi = own.at("psi");
    const auto pull = own.at("layer0.weight").mean(2).square().sum(1);
    return ((y - c) * psi.unsqueeze(1)).pow(4).sum({1, 2}) + pull * own.at("layer1.bias").exp().sum(1) +
           y.mean({1, 2}) * own.at("layer1.bias").square().sum(1);
  };
}

TEST_CASE("a head that reads the network's own weights adds to their derivatives", "[head]") {
  MlpPoint at(MlpCase{{3, {4}, 2, Activation::kTanh}, 1, 5});
  Stream stream(StreamKey{.seed = 7});
  at.params = at.params.joined(Params({{"psi", normal(stream, {1, 2}, 0.5)}}));
  at.direction = at.direction.joined(Params({{"psi", normal(stream, {1, 2})}}));
  const auto head = make_head(looks_at_weights(at), {"layer0.weight", "layer1.bias", "psi"});
  const auto composed = [&](const Params& p) {
    return compose(std::make_unique<MlpLinearization>(at.mlp, p, at.x), head, p);
  };
  const auto check =
      check_gradient([&](const Params& p) { return composed(p)->loss().item<double>(); },
                     [&](const Params& p) { return composed(p)->gradient().cloned(); }, at.params);
  INFO(check.text());
  CHECK(check.relative < 1e-8);

  const auto here = composed(at.params);
  const auto exact =
      autograd_loss([&](const Params& p) { return head_loss(*head, at.mlp.forward(p, at.x), p); }, at.params);
  CHECK(error(here->loss(), exact->loss()) < 1e-13);
  CHECK(error(here->gradient(), exact->gradient()) < 1e-12);
  const auto product = here->hessian_product(at.direction);
  CHECK(error(product, exact->hessian_product(at.direction)) < 1e-11);
  CHECK(error(product, difference([&](const Params& p) { return composed(p)->gradient().cloned(); },
                                  at.params, at.direction)) < 1e-6);
  // Both parts are there: without the head's own reading the gradient of these entries is another.
  const auto network_part = MlpLinearization(at.mlp, at.params, at.x)
                                .pullback(head->at(here->output(), at.params)->gradient().output);
  for (const auto* name : {"layer0.weight", "layer1.bias"}) {
    CHECK(error(network_part.at(name), here->gradient().at(name)) > 1e-2);
  }
  CHECK(error(network_part.at("layer1.weight"), here->gradient().at("layer1.weight")) < 1e-12);
}

TEST_CASE("a head that couples samples keeps no second derivatives, and its products stay exact", "[head]") {
  const MlpPoint at(MlpCase{{3, {6}, 2, Activation::kTanh}, 2, 9});
  // Pairs of samples repel each other: d2 loss / d y_n d y_m is not zero.
  const Loss pairs = [](const torch::Tensor& y, const Params&) {
    return torch::exp(-(y.unsqueeze(1) - y.unsqueeze(2)).square().sum(3)).sum({1, 2});
  };
  const auto head = make_head(pairs);
  CHECK(!head->separable());
  const auto composed = on_mlp(at, at.params, pairs, /*separable=*/false);
  const auto expected = autograd_hessian_product(at, pairs);
  for (int product = 0; product < 3; ++product) {
    CHECK(error(composed->hessian_product(at.direction), expected) < 1e-12);
  }
  const auto wrongly = on_mlp(at, at.params, pairs, /*separable=*/true);
  wrongly->hessian_product(at.direction);
  CHECK(error(wrongly->hessian_product(at.direction), expected) > 1e-3);
}

TEST_CASE("the closed forms of supervised losses are what autograd makes of them", "[head]") {
  const MlpPoint at(MlpCase{{3, {}, 4}, 2, 6});
  const auto labels = torch::arange(12).remainder(4).view({2, 6});
  for (const auto& loss : {OutputLoss::squared_error(at.c, 0.3), OutputLoss::cross_entropy(labels, 0.7)}) {
    const Head& head = loss;
    CHECK(head.separable());
    CHECK(head.reads(at.params).empty());
    const auto y = at.mlp.forward(at.params, at.x);
    const auto closed = head.at(y, {}), general = head.Head::at(y, {});
    CHECK(error(closed->loss(), general->loss()) < 1e-14);
    CHECK(error(closed->gradient().output, general->gradient().output) < 1e-14);
    for (int product = 0; product < 3; ++product) {
      const auto second = general->second({at.ct, {}});
      CHECK(error(closed->second({at.ct, {}}).output, second.output) < 1e-14);
      CHECK(largest(second.output) > 1e-2);
    }
  }
}

TEST_CASE("autograd's linearization is the kernels', whatever is asked first", "[linearization]") {
  for (const auto activation : {Activation::kTanh, Activation::kRelu}) {
    const MlpPoint at(MlpCase{{3, {7, 5}, 2, activation}, 3, 11});
    const auto further = at.params.joined(Params({{"psi", torch::ones({3, 2}, torch::kFloat64)}}));
    const auto along = at.direction.joined(Params({{"psi", torch::ones({3, 2}, torch::kFloat64)}}));
    const auto make = [&] {
      return autograd_linearization([&](const Params& p) { return at.mlp.forward(p, at.x); }, further);
    };
    MlpLinearization kernels(at.mlp, at.params, at.x);
    const auto names = at.mlp.parameter_names();
    const auto second = kernels.pullback_tangent(at.direction, at.c, at.ct);
    const auto here = make();
    CHECK(error(here->output(), kernels.output()) < 1e-13);
    CHECK(error(here->pullback_tangent(along, at.c, at.ct).select(names), second) < 1e-12);
    CHECK(error(here->pushforward(along), kernels.pushforward(at.direction)) < 1e-12);
    const auto pulled = here->pullback(at.c);
    CHECK(error(pulled.select(names), kernels.pullback(at.c)) < 1e-12);
    CHECK(largest(pulled.at("psi")) == 0);
    CHECK(!pulled.at("layer0.weight").requires_grad());
    CHECK(!here->output().requires_grad());
    // Again, after others; and with the same cotangent written to.
    const auto c = at.c.clone();
    CHECK(error(here->pullback_tangent(along, c, at.ct).select(names), second) < 1e-12);
    c.mul_(2);
    CHECK(error(here->pullback_tangent(along, c, 2 * at.ct).select(names), 2.0 * second) < 1e-12);
    CHECK_THROWS_AS(here->pullback(at.x), Error);
    CHECK_THROWS_AS(here->pushforward(at.direction), Error);  // it took psi for the network's
  }
}

}  // namespace
}  // namespace innerloop
