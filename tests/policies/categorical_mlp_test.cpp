#include "policies/categorical_mlp.h"

#include "tests/policies/fixtures.h"
#include "tests/torch_catch.h"

namespace innerloop {
namespace {

using namespace testing;

std::unique_ptr<Policy> categorical(int64_t choices = 3) {
  return make_policy({.name = "categorical_mlp", .hidden = {4}}, discrete(2, choices));
}

torch::Tensor logits(const std::vector<double>& probabilities) {
  return torch::tensor(probabilities, torch::kFloat64).log().view({1, 1, -1});
}

TEST_CASE("categorical: log-probability, entropy and KL are the sums over choices", "[categorical]") {
  const auto policy = categorical();
  const auto p = logits({0.5, 0.25, 0.25}) + 3, q = logits({0.25, 0.25, 0.5}) - 2;  // a shift changes nothing
  const auto choice = torch::tensor({1.0}).view({1, 1, 1});
  CHECK(policy->log_prob(p, choice).sizes() == torch::IntArrayRef({1, 1}));
  CHECK(policy->log_prob(p, choice).item<double>() == Approx(std::log(0.25)));
  CHECK(policy->entropy(p).item<double>() == Approx(1.5 * std::log(2.0)));
  CHECK(policy->kl(p, q).item<double>() == Approx(0.25 * std::log(2.0)));  // 1/2 log 2 + 0 - 1/4 log 2
}

TEST_CASE("categorical: KL is 0 at equality and positive elsewhere", "[categorical]") {
  const auto policy = categorical();
  const auto p = normal({3, 50, 3}, 1), q = normal({3, 50, 3}, 2);
  CHECK(policy->kl(p, p).abs().max().item<double>() == 0);
  CHECK(policy->kl(p, q).min().item<double>() > 0);
}

TEST_CASE("categorical: logits of +-1000 overflow nothing", "[categorical]") {
  const auto policy = categorical();
  const auto p = torch::tensor({1000.0, -1000.0, 1000.0}).view({1, 1, 3});
  CHECK(policy->log_prob(p, torch::zeros({1, 1, 1})).item<double>() == Approx(-std::log(2.0)));
  CHECK(policy->entropy(p).item<double>() == Approx(std::log(2.0)));
  CHECK(policy->kl(p, p).item<double>() == 0);
}

TEST_CASE("categorical: gradients of log-probability, KL and entropy are those of finite differences",
          "[categorical]") {
  const auto policy = categorical();
  const auto from = normal({2, 3, 3}, 1), weight = normal({2, 3}, 4);
  const auto actions = torch::tensor({0.0, 2.0, 1.0, 1.0, 0.0, 2.0}).view({2, 3, 1});
  const auto what = GENERATE(0, 1, 2, 3);
  const auto f = [&](const torch::Tensor& d) {
    const auto value = what == 0   ? policy->log_prob(d, actions)
                       : what == 1 ? policy->kl(from, d)
                       : what == 2 ? policy->kl(d, from)
                                   : policy->entropy(d);
    return (value * weight).sum();
  };
  const auto x = normal({2, 3, 3}, 2).requires_grad_();
  const auto exact = torch::autograd::grad({f(x)}, {x})[0];
  const auto numeric = finite_difference([&](const torch::Tensor& d) { return f(d).item<double>(); }, x);
  CHECK(largest_difference(exact, numeric) < 1e-7);
  CHECK(exact.abs().max().item<double>() > 1e-2);
}

TEST_CASE("categorical: the Eigen form draws every choice as often as the torch form says", "[categorical]") {
  const int64_t choices = 5, draws = 20000;
  const auto policy = categorical(choices);
  const auto params = different_tasks(*policy, 2);
  const auto observation = normal({2}, 9, torch::kFloat32);
  const auto d = (*policy)(params, observation.view({1, 1, 2}).expand({2, 1, 2}));
  for (int64_t task = 0; task < 2; ++task) {
    const auto expected = torch::softmax(d[task][0].to(torch::kFloat64), -1);
    const auto sampler = policy->sampler(params, task);
    const auto workspace = sampler->workspace(1);
    Stream stream({.seed = 5, .task = static_cast<uint64_t>(task)});
    Stream* streams[] = {&stream};
    Eigen::MatrixXf o(2, 1), action(1, 1);
    o << observation[0].item<float>(), observation[1].item<float>();
    std::vector<double> counts(static_cast<size_t>(choices));
    for (int64_t i = 0; i < draws; ++i) {
      sampler->act(o, streams, *workspace, action);
      counts.at(static_cast<size_t>(action(0, 0))) += 1;
    }
    double chi_square = 0;
    for (int64_t k = 0; k < choices; ++k) {
      const double mean = static_cast<double>(draws) * expected[k].item<double>();
      chi_square += std::pow(counts[static_cast<size_t>(k)] - mean, 2) / mean;
    }
    CHECK(chi_square < 18.5);  // 4 degrees of freedom: exceeded once in 1000 seeds
  }
}

TEST_CASE("categorical: a choice without probability is never drawn, a NaN is no choice", "[categorical]") {
  const auto policy = categorical();
  auto values = different_tasks(*policy, 1).tensors();
  values[2].zero_();
  const float infinity = std::numeric_limits<float>::infinity();
  values[3] = torch::tensor({-infinity, 1.0f, -infinity}).view({1, 3});
  Stream start({.seed = 1});
  const auto names = policy->initial(start);
  Stream stream({.seed = 6});
  Stream* streams[] = {&stream};
  Eigen::MatrixXf o = Eigen::MatrixXf::Ones(2, 1), action(1, 1);
  const auto sampler = policy->sampler(names.with(values), 0);
  const auto workspace = sampler->workspace(1);
  for (int i = 0; i < 1000; ++i) {
    sampler->act(o, streams, *workspace, action);
    REQUIRE(action(0, 0) == 1);
  }
  values[3][0][1] = std::numeric_limits<float>::quiet_NaN();
  policy->sampler(names.with(values), 0)->act(o, streams, *workspace, action);
  CHECK(std::isnan(action(0, 0)));
}

}  // namespace
}  // namespace innerloop
