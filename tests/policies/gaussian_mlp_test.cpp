#include "policies/gaussian_mlp.h"

#include <numbers>

#include "tests/policies/fixtures.h"
#include "tests/torch_catch.h"

namespace innerloop {
namespace {

using namespace testing;

std::unique_ptr<Policy> gaussian(int64_t actions = 2, PolicyConfig config = {.hidden = {4}}) {
  return make_policy(config, continuous(3, actions));
}

// [1, 1, 2A] from means and standard deviations.
torch::Tensor distribution(const std::vector<double>& mean, const std::vector<double>& std) {
  const auto m = torch::tensor(mean, torch::kFloat64), s = torch::tensor(std, torch::kFloat64);
  return torch::cat({m, s.log()}).view({1, 1, -1});
}

TEST_CASE("gaussian: log-probability is the sum of the normal densities' logs over action dimensions",
          "[gaussian]") {
  const auto d = distribution({0.5, -1}, {2, 0.25});
  const auto action = torch::tensor({1.5, -0.5}, torch::kFloat64).view({1, 1, 2});
  // z = 0.5 and 2: -z^2/2 - log(std) - log(2 pi)/2 each
  const double expected = -0.125 - std::log(2.0) - 2 - std::log(0.25) - std::log(2 * std::numbers::pi);
  CHECK(gaussian()->log_prob(d, action).item<double>() == Approx(expected).epsilon(1e-12));
}

TEST_CASE("gaussian: entropy and KL are the closed forms", "[gaussian]") {
  const auto policy = gaussian();
  const auto p = distribution({0, 1}, {1, 0.5}), q = distribution({1, 1}, {2, 0.5});
  CHECK(policy->entropy(p).item<double>() ==
        Approx(std::log(2 * std::numbers::pi * std::numbers::e) + std::log(0.5)).epsilon(1e-12));
  // log(2/1) + (1 + 1) / (2 * 4) - 1/2, the second dimension adds nothing
  CHECK(policy->kl(p, q).item<double>() == Approx(std::log(2.0) + 0.25 - 0.5).epsilon(1e-12));
  // and back: log(1/2) + (4 + 1) / 2 - 1/2
  CHECK(policy->kl(q, p).item<double>() == Approx(-std::log(2.0) + 2.5 - 0.5).epsilon(1e-12));
}

TEST_CASE("gaussian: entropy and KL are the expectations that define them (Monte Carlo)", "[gaussian]") {
  const auto policy = gaussian();
  const auto p = distribution({0.2, -0.4}, {0.7, 1.3}), q = distribution({-0.3, 0.1}, {1.1, 0.9});
  const int64_t n = 200000;
  const auto mean = p.narrow(-1, 0, 2), std = p.narrow(-1, 2, 2).exp();
  const auto actions = mean + std * normal({1, n, 2}, 3);
  const auto log_p = policy->log_prob(p.expand({1, n, 4}), actions);
  const auto log_q = policy->log_prob(q.expand({1, n, 4}), actions);
  // Standard errors are below 0.003.
  CHECK(-log_p.mean().item<double>() == Approx(policy->entropy(p).item<double>()).margin(0.012));
  CHECK((log_p - log_q).mean().item<double>() == Approx(policy->kl(p, q).item<double>()).margin(0.012));
}

TEST_CASE("gaussian: KL is exactly 0 at equality and positive elsewhere, however near", "[gaussian]") {
  const auto policy = gaussian();
  const auto p = normal({3, 50, 4}, 1), q = normal({3, 50, 4}, 2);
  CHECK(policy->kl(p, p).abs().max().item<double>() == 0);
  CHECK(policy->kl(p, q).min().item<double>() > 0);
  CHECK(policy->kl(p, p + 1e-6 * q).min().item<double>() > 0);
}

TEST_CASE("gaussian: shapes carry the task dimension and the dtype", "[gaussian]") {
  const auto policy = gaussian();
  const auto params = different_tasks(*policy, 3).to(torch::kFloat64);
  const auto d = (*policy)(params, normal({3, 5, 3}, 4));
  CHECK(d.sizes() == torch::IntArrayRef({3, 5, 4}));
  CHECK(d.scalar_type() == torch::kFloat64);
  CHECK(policy->log_prob(d, normal({3, 5, 2}, 5)).sizes() == torch::IntArrayRef({3, 5}));
  CHECK(policy->kl(d, d).sizes() == torch::IntArrayRef({3, 5}));
  CHECK(policy->entropy(d).sizes() == torch::IntArrayRef({3, 5}));
}

TEST_CASE("gaussian: gradients of log-probability, KL and entropy are those of finite differences",
          "[gaussian]") {
  const auto policy = gaussian();
  const auto from = normal({2, 3, 4}, 1), actions = normal({2, 3, 2}, 3), weight = normal({2, 3}, 4);
  const auto what = GENERATE(0, 1, 2, 3);
  const auto f = [&](const torch::Tensor& d) {
    const auto value = what == 0   ? policy->log_prob(d, actions)
                       : what == 1 ? policy->kl(from, d)
                       : what == 2 ? policy->kl(d, from)
                                   : policy->entropy(d);
    return (value * weight).sum();
  };
  const auto x = normal({2, 3, 4}, 2).requires_grad_();
  const auto exact = torch::autograd::grad({f(x)}, {x})[0];
  const auto numeric = finite_difference([&](const torch::Tensor& d) { return f(d).item<double>(); }, x);
  CHECK(largest_difference(exact, numeric) < 1e-7);
  CHECK(exact.abs().max().item<double>() > 1e-2);
}

TEST_CASE("gaussian: a log-std below the minimum acts as the minimum and has no gradient", "[gaussian]") {
  const auto policy = gaussian(2, {.hidden = {4}, .own = {{"min_std", 0.1}}});
  auto params = different_tasks(*policy, 1).to(torch::kFloat64).as_leaves();
  auto values = params.tensors();
  values.back() = torch::tensor({-5.0, -1.0}, torch::kFloat64).view({1, 2}).requires_grad_();
  params = params.with(values);
  const auto d = (*policy)(params, normal({1, 6, 3}, 4));
  CHECK(d[0][0][2].item<double>() == Approx(std::log(0.1)));
  CHECK(d[0][5][3].item<double>() == Approx(-1.0));
  const auto gradient = torch::autograd::grad({policy->entropy(d).sum()}, {values.back()})[0];
  CHECK(gradient[0][0].item<double>() == 0);
  CHECK(gradient[0][1].item<double>() == Approx(6));
}

TEST_CASE("gaussian: starts at the asked standard deviation with the network's entries first", "[gaussian]") {
  const auto policy = gaussian(2, {.hidden = {4}, .own = {{"initial_std", 0.5}}});
  Stream a({.seed = 3}), b({.seed = 3});
  const auto params = policy->initial(a);
  CHECK(params.names() ==
        std::vector<std::string>{"layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias", "log_std"});
  CHECK(params.at("log_std").sizes() == torch::IntArrayRef({1, 2}));
  CHECK(params.at("log_std")[0][1].item<double>() == Approx(std::log(0.5)));
  CHECK(params.dtype() == torch::kFloat32);
  CHECK(identical(params, policy->initial(b)));
}

TEST_CASE("gaussian: output_scale multiplies the last layer's initial weights and nothing else",
          "[gaussian]") {
  Stream a({.seed = 3}), b({.seed = 3}), c({.seed = 3});
  const auto plain = gaussian(2, {.hidden = {4}})->initial(a);
  const auto scaled = gaussian(2, {.hidden = {4}, .own = {{"output_scale", 0.125}}})->initial(b);
  const auto silent = gaussian(2, {.hidden = {4}, .own = {{"output_scale", 0}}})->initial(c);
  for (const char* name : {"layer0.weight", "layer0.bias", "layer1.bias", "log_std"}) {
    INFO(name);
    CHECK(torch::equal(scaled.at(name), plain.at(name)));
  }
  CHECK(plain.at("layer1.weight").abs().min().item<double>() > 0);
  CHECK(torch::equal(scaled.at("layer1.weight"), 0.125 * plain.at("layer1.weight")));
  CHECK(silent.at("layer1.weight").abs().max().item<double>() == 0);
  CHECK_THROWS_WITH(gaussian(2, {.hidden = {4}, .own = {{"output_scale", -1}}}),
                    contains("policy.output_scale is '-1'"));
}

TEST_CASE("gaussian: a standard deviation that is not positive is refused by its name", "[gaussian]") {
  CHECK_THROWS_WITH(gaussian(2, {.hidden = {4}, .own = {{"initial_std", 0}}}),
                    contains("policy.initial_std is '0'"));
  CHECK_THROWS_WITH(gaussian(2, {.hidden = {4}, .own = {{"min_std", -1}}}),
                    contains("policy.min_std is '-1'"));
}

}  // namespace
}  // namespace innerloop
