#include "networks/mlp.h"

#include "base/error.h"
#include "tests/networks/module_cases.h"

namespace innerloop {
namespace {

torch::nn::Sequential sequential(const MlpConfig& config, const Params& params) {
  torch::nn::Sequential net;
  int64_t in = config.inputs;
  for (size_t l = 0; l <= config.hidden.size(); ++l) {
    const bool last = l == config.hidden.size();
    const int64_t out = last ? config.outputs : config.hidden[l];
    torch::nn::Linear linear(in, out);
    linear->to(torch::kFloat64);
    linear->weight.set_data(params[2 * l].squeeze(0).clone());
    linear->bias.set_data(params[2 * l + 1].squeeze(0).clone());
    net->push_back(linear);
    if (!last && config.activation == Activation::kTanh) net->push_back(torch::nn::Tanh());
    if (!last && config.activation == Activation::kRelu) net->push_back(torch::nn::ReLU());
    in = out;
  }
  return net;
}

TEST_CASE("forward, gradient and second derivative are those of torch::nn layers", "[mlp]") {
  for (const auto activation : {Activation::kTanh, Activation::kRelu}) {
    for (const auto& hidden : std::vector<std::vector<int64_t>>{{}, {6}, {7, 4, 5}}) {
      const MlpPoint at(MlpCase{{3, hidden, 2, activation}, 1, 11});
      auto net = sequential(at.mlp.config(), at.params);
      const auto leaves = at.params.as_leaves();
      const auto ours = at.mlp.forward(leaves, at.x);
      const auto theirs = net->forward(at.x.squeeze(0)).unsqueeze(0);
      CHECK(error(ours.detach(), theirs.detach()) < 1e-13);

      const auto second = [&](const torch::Tensor& y, const std::vector<torch::Tensor>& variables) {
        const auto first = torch::autograd::grad({(y * y * at.c).sum()}, variables, {}, true, true);
        auto along = torch::zeros({}, torch::kFloat64);
        for (size_t i = 0; i < first.size(); ++i) {
          along = along + (first[i] * at.direction[i].view(first[i].sizes())).sum();
        }
        auto all = torch::autograd::grad({along}, variables, {}, true, false, true);
        all.insert(all.end(), first.begin(), first.end());
        return all;
      };
      const auto a = second(ours, leaves.tensors()), b = second(theirs, net->parameters());
      REQUIRE(a.size() == b.size());
      for (size_t i = 0; i < a.size(); ++i) CHECK(error(a[i].detach().squeeze(0), b[i].detach()) < 1e-12);
    }
  }
}

TEST_CASE("each task has its own weights", "[mlp]") {
  const MlpPoint at(MlpCase{{3, {6, 5}, 2, Activation::kTanh}, 3, 11});
  const auto all = at.mlp.forward(at.params, at.x);
  for (int64_t t = 0; t < 3; ++t) {
    CHECK(error(all.narrow(0, t, 1), at.mlp.forward(at.params.slice(t), at.x.narrow(0, t, 1))) < 1e-14);
  }
  CHECK(error(all.narrow(0, 1, 1), at.mlp.forward(at.params.slice(0), at.x.narrow(0, 1, 1))) > 0.1);
}

TEST_CASE("initial weights fill the Xavier bound, biases are zero, and the stream decides all", "[mlp]") {
  const Mlp mlp({20, {100, 50}, 6, Activation::kRelu});
  const auto draw = [&](uint64_t seed) {
    Stream stream(StreamKey{.seed = seed, .purpose = Purpose::kInitialParameters});
    return mlp.initial(stream);
  };
  const auto params = draw(1);
  CHECK(params.names() == mlp.parameter_names());
  CHECK(params.tasks() == 1);
  CHECK(params.numel() == 20 * 100 + 100 + 100 * 50 + 50 + 50 * 6 + 6);
  const auto& weight = params.at("layer1.weight");
  CHECK(weight.sizes() == at::IntArrayRef({1, 50, 100}));
  const double bound = std::sqrt(6.0 / 150);
  CHECK(largest(weight) <= bound);
  CHECK(largest(weight) > 0.99 * bound);
  CHECK(weight.mean().item<double>() == Approx(0).margin(5 * bound / std::sqrt(3 * 5000.0)));
  CHECK(weight.square().mean().item<double>() == Approx(bound * bound / 3).epsilon(0.1));
  CHECK(largest(params.at("layer1.bias")) == 0);
  CHECK(identical(draw(1), params));
  CHECK(!identical(draw(2), params));
}

TEST_CASE("sizes below one and unknown activations are usage errors", "[mlp]") {
  CHECK_THROWS_AS(Mlp({0, {4}, 1}), UsageError);
  CHECK_THROWS_AS(Mlp({1, {4}, 0}), UsageError);
  CHECK_THROWS_AS(Mlp({1, {4, 0}, 1}), UsageError);
  CHECK(parse_activation("tanh") == Activation::kTanh);
  CHECK(parse_activation("relu") == Activation::kRelu);
  CHECK_THROWS_WITH(parse_activation("rleu"), contains("did you mean 'relu'"));
}

}  // namespace
}  // namespace innerloop
