#include "networks/mlp_network.h"

#include "base/error.h"
#include "tests/networks/module_cases.h"

namespace innerloop {
namespace {

OneTask modules(const MlpNetworkConfig& config) {
  return [config](const Params& params, const torch::Tensor& x) {
    torch::Tensor h = x.flatten(1);
    for (size_t l = 0; l < config.mlp.hidden.size(); ++l) {
      h = module_linear(params, concat("layer", l), h);
      if (config.batch_norm) h = module_norm(params, concat("norm", l), h);
      h = config.mlp.activation == Activation::kTanh ? torch::nn::Tanh()->forward(h)
                                                     : torch::nn::ReLU()->forward(h);
    }
    return module_linear(params, concat("layer", config.mlp.hidden.size()), h);
  };
}

TEST_CASE("the mlp's forward, gradient and second derivative are those of torch::nn modules",
          "[mlp_network]") {
  for (const auto activation : {Activation::kTanh, Activation::kRelu}) {
    for (const bool batch_norm : {false, true}) {
      for (const bool scale : {false, true}) {
        const MlpNetworkConfig config{{6, {9, 7, 5}, 3, activation}, batch_norm, batch_norm && scale};
        const MlpNetwork network(config);
        for (const int64_t tasks : {1, 3}) {
          check_against_modules(network, modules(config), NetworkPoint(network, {1, 2, 3}, tasks, 8));
        }
      }
    }
  }
}

TEST_CASE("without batch norm the mlp's loss in closed form is autograd's", "[mlp_network]") {
  for (const auto& hidden : std::vector<std::vector<int64_t>>{{}, {8, 6}}) {
    const MlpNetwork network(MlpNetworkConfig{.mlp = {4, hidden, 3, Activation::kRelu}});
    const NetworkPoint at(network, {4}, 3, 5);
    auto labels = torch::zeros({3, 5}, torch::kInt64);
    labels.select(1, 2).fill_(2);
    // An entry that is not the network's, such as a learned step size.
    const auto params = at.params.joined(Params({{"extra", torch::ones({3, 2}, torch::kFloat64)}}));
    const auto direction = at.direction.joined(Params({{"extra", torch::ones({3, 2}, torch::kFloat64)}}));
    for (const auto& loss : {OutputLoss::squared_error(at.c, 0.2), OutputLoss::cross_entropy(labels, 0.5)}) {
      const auto fast = network.loss_at(params, at.x, loss);
      const auto slow = network.Network::loss_at(params, at.x, loss);
      CHECK(error(fast->loss(), slow->loss()) < 1e-13);
      CHECK(error(fast->gradient(), slow->gradient()) < 1e-13);
      CHECK(error(fast->hessian_product(direction), slow->hessian_product(direction)) < 1e-12);
      CHECK(error(fast->hessian_product(2.0 * direction), 2.0 * fast->hessian_product(direction)) < 1e-13);
      CHECK(largest(fast->hessian_product(direction)[0]) > 0.01);
    }
  }
}

TEST_CASE("the mlp's Hessian is symmetric, product after product, for shared and own parameters",
          "[mlp_network]") {
  for (const auto activation : {Activation::kTanh, Activation::kRelu}) {
    const MlpNetwork network(MlpNetworkConfig{.mlp = {1, {40, 40}, 1, activation}});
    for (const int64_t samples : {10, 40}) {
      const NetworkPoint at(network, {1}, 3, samples);
      for (const auto& params : {at.params, at.params.slice(1).expanded(3)}) {
        const auto loss = network.loss_at(params, at.x, OutputLoss::squared_error(at.c, 0.1));
        const Params u = at.direction, v = loss->gradient();
        const auto h_u = loss->hessian_product(u), h_v = loss->hessian_product(v);
        CHECK(dot(h_u, v).item<double>() == Approx(dot(h_v, u).item<double>()).epsilon(1e-10));
        CHECK(std::abs(dot(h_u, v).item<double>()) > 1e-3);
        CHECK(identical(loss->hessian_product(u), h_u));
      }
    }
  }
}

TEST_CASE("a chunk of tasks is several for a tiny mlp and with batch norm, one for a large one",
          "[mlp_network]") {
  const auto chunk = [](MlpConfig mlp, bool batch_norm) {
    return MlpNetwork(MlpNetworkConfig{.mlp = std::move(mlp), .batch_norm = batch_norm}).tasks_per_chunk();
  };
  CHECK(chunk({1, {40, 40}, 1}, false) == 13);
  CHECK(chunk({1, {8}, 1}, false) == 13);  // no more: threads want chunks
  CHECK(chunk({100, {256, 64}, 5}, false) == 1);
  CHECK(chunk({1, {40, 40}, 1}, true) == 4);
}

TEST_CASE("the initialisations of the mlp", "[mlp_network]") {
  const auto draw = [](const std::string& initialization, bool batch_norm) {
    Stream stream(StreamKey{.seed = 7, .purpose = Purpose::kInitialParameters});
    return MlpNetwork({{100, {80, 60}, 50}, batch_norm, false, initialization}).initial(stream);
  };
  const auto mean_square = [](const torch::Tensor& t) { return t.square().mean().item<double>(); };
  Stream stream(StreamKey{.seed = 7, .purpose = Purpose::kInitialParameters});
  CHECK(identical(draw("xavier", false), Mlp({100, {80, 60}, 50}).initial(stream)));

  const auto truncated = draw("truncated_normal", false);
  for (const auto* name : {"layer0.weight", "layer1.weight", "layer2.weight"}) {
    CHECK(largest(truncated.at(name)) <= 0.02);
    CHECK(mean_square(truncated.at(name)) == Approx(0.7737e-4).epsilon(0.08));
  }
  CHECK(largest(truncated.at("layer1.bias")) == 0);

  const auto normal = draw("normal", false);
  CHECK(largest(normal.at("layer1.weight")) <= std::sqrt(6.0 / 140));
  CHECK(mean_square(normal.at("layer1.weight")) == Approx(2.0 / 140).epsilon(0.08));
  CHECK(mean_square(normal.at("layer2.weight")) == Approx(1).epsilon(0.08));

  const auto normalised = draw("truncated_normal", true);
  CHECK(normalised.names() == std::vector<std::string>{"layer0.weight", "norm0.bias", "layer1.weight",
                                                       "norm1.bias", "layer2.weight", "layer2.bias"});
  CHECK(largest(normalised.at("norm1.bias")) == 0);
  CHECK_THROWS_WITH(draw("uniform", false), contains("known: xavier, truncated_normal, normal"));
}

TEST_CASE("the mlp names inputs that do not fit", "[mlp_network]") {
  for (const bool batch_norm : {false, true}) {
    const MlpNetwork network(MlpNetworkConfig{.mlp = {4, {3}, 2}, .batch_norm = batch_norm});
    Stream stream(StreamKey{.seed = 1});
    const auto params = network.initial(stream);
    CHECK_THROWS_WITH(network.forward(params, torch::zeros({1, 5, 3})),
                      contains("3 numbers a sample, expected 4"));
    CHECK_THROWS_WITH(network.output(params, torch::zeros({1, 5, 1, 5})), contains("5 numbers a sample"));
    CHECK_THROWS_WITH(network.forward(params, torch::zeros({5, 4})), contains("expected [T, N, ...]"));
  }
}

}  // namespace
}  // namespace innerloop
