#include "meta/algorithms/matching_fce.h"

#include <cmath>

#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/feature_plane.h"

// After torch_catch.h: LibTorch's own LSTMs.
#include <torch/torch.h>

using namespace innerloop;
using torch::Tensor;

namespace {

constexpr int64_t kWidth = 3;

Params random_lstm(int64_t inputs, uint64_t seed) {
  return normal_like(Params({{"input_weight", torch::zeros({1, 4 * kWidth, inputs}, torch::kFloat64)},
                             {"hidden_weight", torch::zeros({1, 4 * kWidth, kWidth}, torch::kFloat64)},
                             {"bias", torch::zeros({1, 4 * kWidth}, torch::kFloat64)}}),
                     seed);
}

Tensor random_points(int64_t count, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros({1, count, kWidth}, torch::kFloat64)}}), seed)[0];
}

// One hidden unit with weights of zero and tanh of the candidate's bias = 1/2: c = .25, .375, ..
Params one_unit(bool silent) {
  const Params out({{"input_weight", torch::zeros({1, 4, 1}, torch::kFloat64)},
                    {"hidden_weight", torch::zeros({1, 4, 1}, torch::kFloat64)},
                    {"bias", torch::zeros({1, 4}, torch::kFloat64)}});
  if (!silent) out.at("bias")[0][2] = std::atanh(0.5);
  return out;
}

Episodes oracle() {
  return plane_episodes(points({1, 0, 0, 1, .6, .8}), labels({0, 1, 1}), points({.8, .6, .1, .9}),
                        labels({0, 1}));
}

Tensor scores(const FeaturePlane& plane, const Episodes& e) {
  return plane.method->predict(plane.meta, plane.task(e), 0, {})[0];
}

}  // namespace

TEST_CASE("matching_fce: the bidirectional LSTM is LibTorch's", "[meta]") {
  const Params forward = random_lstm(kWidth, 1), backward = random_lstm(kWidth, 2);
  const Tensor x = random_points(4, 3);
  torch::nn::LSTM theirs(torch::nn::LSTMOptions(kWidth, kWidth).bidirectional(true).batch_first(true));
  theirs->to(torch::kFloat64);
  const torch::NoGradGuard no_graph;
  const auto named = theirs->named_parameters();
  for (const auto& [from, suffix] : {std::pair{&forward, ""}, std::pair{&backward, "_reverse"}}) {
    const auto set = [&, end = std::string(suffix)](const char* name, const Tensor& value) {
      named[name + std::string("_l0") + end].copy_(value);
    };
    set("weight_ih", from->at("input_weight")[0]);
    set("weight_hh", from->at("hidden_weight")[0]);
    set("bias_ih", from->at("bias")[0]);
    set("bias_hh", torch::zeros({4 * kWidth}));
  }
  const Tensor both = std::get<0>(theirs->forward(x));
  const Tensor expected = x + both.narrow(2, 0, kWidth) + both.narrow(2, kWidth, kWidth);
  CHECK(torch::allclose(fce_set(x, forward, backward, true), expected, 1e-12, 1e-12));
  CHECK_FALSE(torch::allclose(fce_set(x, forward, backward, false), expected, 1e-3, 1e-3));
}

TEST_CASE("matching_fce: the attention LSTM is LibTorch's cell with reads from the set", "[meta]") {
  const Params weights = random_lstm(2 * kWidth, 1);
  const Tensor x = random_points(2, 2), set = random_points(4, 3);
  torch::nn::LSTMCell cell(torch::nn::LSTMCellOptions(2 * kWidth, kWidth));
  cell->to(torch::kFloat64);
  const torch::NoGradGuard no_graph;
  cell->weight_ih.copy_(weights.at("input_weight")[0]);
  cell->weight_hh.copy_(weights.at("hidden_weight")[0]);
  cell->bias_ih.copy_(weights.at("bias")[0]);
  cell->bias_hh.zero_();
  for (int64_t query = 0; query < 2; ++query) {
    const Tensor f = x[0].narrow(0, query, 1);
    Tensor h = torch::zeros({1, kWidth}, torch::kFloat64), c = h;
    for (int64_t k = 1; k <= 3; ++k) {
      const Tensor read = torch::softmax(h.matmul(set[0].t()), 1).matmul(set[0]);  // h_0 = 0: the mean
      std::tie(h, c) = cell->forward(torch::cat({f, read}, 1), std::make_tuple(h, c));
      h = h + f;
      CHECK(torch::allclose(fce_attention(x, set, weights, k)[0].narrow(0, query, 1), h, 1e-12, 1e-12));
    }
  }
}

// A backward LSTM meets x_2 first: h = .5 tanh(.25) there and .5 tanh(.375) at x_1.
TEST_CASE("matching_fce: backward outputs stand at their own samples, or where Ravi's code has them",
          "[meta]") {
  const Tensor x = torch::tensor({1.0, 2.0}, torch::kFloat64).view({1, 2, 1});
  const double first = 0.5 * std::tanh(0.25), second = 0.5 * std::tanh(0.375);
  const Tensor aligned = fce_set(x, one_unit(true), one_unit(false), true);
  CHECK(aligned[0][0].item<double>() == Approx(1 + second));
  CHECK(aligned[0][1].item<double>() == Approx(2 + first));
  const Tensor as_run = fce_set(x, one_unit(true), one_unit(false), false);
  CHECK(as_run[0][0].item<double>() == Approx(1 + first));
  CHECK(as_run[0][1].item<double>() == Approx(2 + second));
  const Tensor forward = fce_set(x, one_unit(false), one_unit(true), true);
  CHECK(forward[0][0].item<double>() == Approx(1 + first));
  CHECK(forward[0][1].item<double>() == Approx(2 + second));
}

// LSTMs of zeros put out zeros: what is left are matching networks, cosines .8, .6, .96.
TEST_CASE("matching_fce: with weights of zero it is matching networks", "[meta]") {
  const FeaturePlane plane(matching_fce(), {{"initial", "zero"}});
  const Tensor attention = scores(plane, oracle());
  CHECK(std::exp(attention[0][0][0].item<double>()) == Approx(0.33419761).epsilon(1e-7));
  CHECK(std::exp(attention[0][0][1].item<double>()) == Approx(0.66580239).epsilon(1e-7));
  const Tensor sum = scores(FeaturePlane(matching_fce(), {{"initial", "zero"}, {"scores", "sum"}}), oracle());
  CHECK(sum[0][0][0].item<double>() == Approx(0.8));
  CHECK(sum[0][0][1].item<double>() == Approx(1.56));
  CHECK_FALSE(torch::allclose(scores(FeaturePlane(matching_fce()), oracle()), attention));
}

TEST_CASE("matching_fce: a query's scores depend on other queries only where the LSTM runs over them",
          "[meta]") {
  Episodes other = oracle();
  other.query_x = other.query_x.clone();
  other.query_x[0][1][0] = 0.5;
  for (const bool over_queries : {false, true}) {
    const FeaturePlane plane(matching_fce(), {{"over", over_queries ? "query" : "support"}});
    const Tensor first = scores(plane, oracle())[0][0], changed = scores(plane, other)[0][0];
    CHECK(torch::equal(first, changed) == !over_queries);
  }
}

TEST_CASE("matching_fce: every key's gradient equals finite differences", "[meta]") {
  const Texts own = GENERATE(Texts{{"scores", "sum"}, {"backward", "as_run"}},
                             Texts{{"over", "query"}, {"steps", 1}}, Texts{{"steps", 5}});
  const FeaturePlane plane(matching_fce(), own);
  const auto task = plane.task(plane_episodes(points({1, .3, .2, 1, .6, .8}), labels({0, 1, 1}),
                                              points({.8, .6, .1, .9}), labels({0, 1})));
  const auto found = check_gradient(
      [&](const Params& p) { return plane.method->pass(p, task, {}, false).loss.sum().item<double>(); },
      [&](const Params& p) { return plane.method->pass(p, task, {}, false).gradient; }, plane.meta, 1e-5);
  INFO(found.text());
  CHECK(found.relative < 1e-6);
  CHECK(std::abs(found.difference) > 1e-6);
}

TEST_CASE("matching_fce: its LSTMs are meta-parameters with names of their own", "[meta]") {
  const FeaturePlane plane(matching_fce());
  CHECK(plane.meta.names() ==
        std::vector<std::string>{"layer0.weight", "layer0.bias", "matching_fce.forward.input_weight",
                                 "matching_fce.forward.hidden_weight", "matching_fce.forward.bias",
                                 "matching_fce.backward.input_weight", "matching_fce.backward.hidden_weight",
                                 "matching_fce.backward.bias", "matching_fce.attention.input_weight",
                                 "matching_fce.attention.hidden_weight", "matching_fce.attention.bias"});
  CHECK(plane.meta.at("matching_fce.attention.input_weight").sizes() == std::vector<int64_t>{1, 8, 4});
  const double most = plane.meta.at("matching_fce.forward.input_weight").abs().max().item<double>();
  CHECK(most < 1 / std::sqrt(2.0));
  CHECK(most > 0.4);
  CHECK(plane.method->initialisation(plane.meta).names() ==
        std::vector<std::string>{"layer0.weight", "layer0.bias"});
}
