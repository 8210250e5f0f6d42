#include "base/error.h"
#include "networks/network.h"
#include "tests/networks/network_cases.h"

namespace innerloop {
namespace {

struct ContractCase {
  NetworkConfig config;
  std::vector<int64_t> input;
};

// Every registered network at a size that takes no time, in its forms.
std::vector<ContractCase> cases_of(const std::string& name) {
  if (name == "mlp") {
    return {
        {{.name = name, .hidden = {7, 5}}, {4}},
        {{.name = name, .hidden = {7, 5}, .activation = "tanh"}, {1, 2, 2}},
        {{.name = name, .hidden = {7, 5}, .batch_norm = "batch"}, {4}},
        {{.name = name, .hidden = {6}, .activation = "tanh", .batch_norm = "batch", .batch_norm_scale = true},
         {4}},
    };
  }
  if (name == "conv4") {
    return {
        {{.name = name, .filters = 3, .batch_norm = "batch"}, {1, 28, 28}},
        {{.name = name,
          .filters = 2,
          .downsample = "max_pool",
          .head = "flatten",
          .batch_norm = "per_task_running",
          .batch_norm_scale = true},
         {3, 35, 16}},
    };
  }
  return {{{.name = name, .filters = 2, .batch_norm = "global_running"}, {2, 16, 20}}};
}

std::vector<ContractCase> all_cases() {
  std::vector<ContractCase> all;
  for (const auto& network : networks()) {
    for (const auto& one : cases_of(network.name)) all.push_back(one);
  }
  return all;
}

constexpr int64_t kOutputs = 3, kSamples = 6;

TEST_CASE("every network: a stream is a set of initial parameters", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const auto draw = [&](uint64_t seed) {
      Stream stream(StreamKey{.seed = seed, .purpose = Purpose::kInitialParameters});
      return network->initial(stream);
    };
    CHECK(identical(draw(1), draw(1)));
    CHECK(!identical(draw(1), draw(2)));
    CHECK(draw(1).tasks() == 1);
    CHECK(draw(1).dtype() == torch::kFloat32);
    CHECK(all_finite(draw(1)));
  }
}

TEST_CASE("every network: shapes, and the last layer is linear in the features", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 3, kSamples);
    const auto y = network->forward(at.params, at.x), f = network->features(at.params, at.x);
    CHECK(y.sizes() == at::IntArrayRef({3, kSamples, kOutputs}));
    REQUIRE(f.dim() == 3);
    const auto weight = at.params[at.params.size() - 2], bias = at.params[at.params.size() - 1];
    CHECK(weight.sizes() == at::IntArrayRef({3, kOutputs, f.size(2)}));
    CHECK(error(f.matmul(weight.transpose(1, 2)) + bias.unsqueeze(1), y) < 1e-12);
    const auto single = network->forward(at.params.to(torch::kFloat32), at.x.to(torch::kFloat32));
    CHECK(single.scalar_type() == torch::kFloat32);
    CHECK(error(single.to(torch::kFloat64), y) < 1e-3);
  }
}

TEST_CASE("every network: the fast output is the forward pass outside any graph", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 3, kSamples);
    const auto y = network->output(at.params.as_leaves(), at.x);
    CHECK(!y.requires_grad());
    CHECK(error(y, network->forward(at.params, at.x)) < 1e-12);
    Params found, again;
    network->forward(at.params, at.x + 0.5, {.found = &found});
    network->output(at.params, at.x + 0.5, {.found = &again});
    CHECK(error(again, found) < 1e-12);
    if (network->normalises()) {
      CHECK(error(network->output(at.params, at.x, {.use = &found}),
                  network->forward(at.params, at.x, {.use = &found})) < 1e-12);
    }
  }
}

TEST_CASE("every network: a task's output is that of its own parameters and samples alone", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 3, kSamples);
    const auto y = network->forward(at.params, at.x);
    for (int64_t t = 0; t < 3; ++t) {
      CHECK(error(y.narrow(0, t, 1), network->forward(at.params.slice(t), at.x.narrow(0, t, 1))) < 1e-12);
    }
    CHECK(error(y.narrow(0, 0, 1), network->forward(at.params.slice(1), at.x.narrow(0, 0, 1))) > 1e-3);
    auto changed = at.x.clone();
    Stream stream(StreamKey{.seed = 9});
    changed[1].add_(normal(stream, changed[1].sizes()));
    const auto other = network->forward(at.params, changed);
    CHECK(torch::equal(other[0], y[0]));
    CHECK(torch::equal(other[2], y[2]));
    CHECK(error(other[1], y[1]) > 1e-3);
  }
}

TEST_CASE("every network: found statistics are per task and give the same output when used", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 3, kSamples);
    Params found({{"stale", torch::zeros({1, 1})}});
    const auto y = network->forward(at.params, at.x, {.found = &found});
    CHECK(network->normalises() == !found.empty());
    CHECK(!found.contains("stale"));
    if (!network->normalises()) continue;
    CHECK(found.tasks() == 3);
    CHECK(error(network->forward(at.params, at.x, {.use = &found}), y) < 1e-13);
    for (int64_t t = 0; t < 3; ++t) {
      Params alone;
      network->forward(at.params.slice(t), at.x.narrow(0, t, 1), {.found = &alone});
      CHECK(error(found.slice(t), alone) < 1e-12);
    }
    // With statistics given, a sample's output depends on no other sample; with the batch's own it does.
    const auto first = at.x.narrow(1, 0, 1);
    CHECK(error(network->forward(at.params, first, {.use = &found}), y.narrow(1, 0, 1)) < 1e-12);
    auto others = at.x.clone();
    others.narrow(1, 1, kSamples - 1).mul_(1.5).add_(0.3);
    CHECK(error(network->forward(at.params, others).narrow(1, 0, 1), y.narrow(1, 0, 1)) > 1e-3);
    // Shared by all tasks: one slice for three.
    const auto shared = found.slice(2);
    CHECK(error(network->forward(at.params, at.x, {.use = &shared})[2], y[2]) < 1e-12);
  }
}

TEST_CASE("every network: loss_at has the derivatives of differences", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 2, kSamples, 3);
    auto labels = torch::arange(2 * kSamples, torch::kInt64).remainder(kOutputs).view({2, kSamples});
    for (const auto& loss : {OutputLoss::cross_entropy(labels, 1.0 / kSamples),
                             OutputLoss::squared_error(at.c, 1.0 / kSamples)}) {
      const auto point = network->loss_at(at.params, at.x, loss);
      CHECK(error(point->loss(), loss(network->forward(at.params, at.x))) < 1e-12);
      const double step = 1e-6;
      const auto up = network->loss_at(at.params + step * at.direction, at.x, loss);
      const auto down = network->loss_at(at.params - step * at.direction, at.x, loss);
      const auto slope = dot(point->gradient(), at.direction);
      CHECK(error(slope, (up->loss() - down->loss()).sum() / (2 * step)) < 1e-7);
      const auto product = point->hessian_product(at.direction);
      CHECK(error(product, (1 / (2 * step)) * (up->gradient() - down->gradient())) < 1e-5);
      CHECK(std::abs(slope.item<double>()) > 1e-3);
      CHECK(dot(product, product).item<double>() > 1e-3);
      // Another direction at the same point: nothing of the first is left.
      const auto reversed = point->hessian_product(-1.0 * at.direction);
      CHECK(error(reversed, -1.0 * product) < 1e-12);
    }
  }
}

TEST_CASE("every setting reaches the network", "[contract]") {
  const auto draw = [](const NetworkConfig& config, const std::vector<int64_t>& input) {
    Stream stream(StreamKey{.seed = 4});
    return make_network(config, input, 5)->initial(stream);
  };
  const auto shape = [](const Params& params, const std::string& name) {
    return params.at(name).sizes().vec();
  };
  using Shape = std::vector<int64_t>;

  const auto mlp = draw({.hidden = {7, 6}, .initialization = "truncated_normal"}, {2, 3, 4});
  CHECK(shape(mlp, "layer0.weight") == Shape{1, 7, 24});
  CHECK(shape(mlp, "layer2.weight") == Shape{1, 5, 6});
  CHECK(largest(mlp.at("layer0.weight")) <= 0.02);
  CHECK(!draw({.batch_norm = "batch"}, {3}).contains("norm0.weight"));
  CHECK(draw({.batch_norm = "batch", .batch_norm_scale = true}, {3}).contains("norm0.weight"));
  const auto x = torch::full({1, 2, 3}, 50.0);
  const auto params = draw({.hidden = {4}}, {3});
  CHECK(largest(make_network({.hidden = {4}, .activation = "tanh"}, {3}, 5)->features(params, x)) <= 1);
  CHECK(largest(make_network({.hidden = {4}, .activation = "relu"}, {3}, 5)->features(params, x)) > 1);

  const auto conv4 = draw({.name = "conv4", .filters = 6, .batch_norm = "batch"}, {3, 33, 20});
  CHECK(shape(conv4, "conv1.weight") == Shape{1, 3, 3, 3, 6});
  CHECK(shape(conv4, "linear.weight") == Shape{1, 5, 6});
  CHECK(!conv4.contains("norm1.weight"));
  NetworkConfig config{
      .name = "conv4", .filters = 6, .head = "flatten", .batch_norm = "batch", .batch_norm_scale = true};
  CHECK(shape(draw(config, {3, 33, 20}), "linear.weight") == Shape{1, 5, 3 * 2 * 6});
  CHECK(draw(config, {3, 33, 20}).contains("norm1.weight"));
  config.downsample = "max_pool";
  CHECK(shape(draw(config, {3, 33, 20}), "linear.weight") == Shape{1, 5, 2 * 1 * 6});
  CHECK(largest(draw(config, {3, 33, 20}).at("linear.weight")) < 1);
  config.initialization = "normal";
  CHECK(largest(draw(config, {3, 33, 20}).at("linear.weight")) > 1);

  NetworkConfig residual{.name = "resnet12", .filters = 4, .batch_norm = "batch"};
  CHECK(shape(draw(residual, {1, 20, 16}), "conv5.weight") == Shape{1, 3, 3, 4, 10});
  CHECK(shape(draw(residual, {1, 20, 16}), "linear.weight") == Shape{1, 5, 40});
  CHECK(largest(draw(residual, {1, 20, 16}).at("linear.weight")) < 1);
  residual.initialization = "normal";
  CHECK(largest(draw(residual, {1, 20, 16}).at("linear.weight")) > 1);
}

TEST_CASE("networks are made by name, and what contradicts itself is refused", "[contract]") {
  const auto message = [](const NetworkConfig& config, const std::vector<int64_t>& input = {1, 28, 28}) {
    try {
      make_network(config, input, 5);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(networks().size() == 3);
  CHECK(message({}) == "");
  CHECK(message({.name = "conv4", .batch_norm = "batch"}) == "");
  CHECK_THAT(message({.name = "conv5"}), contains("did you mean 'conv4'"));
  CHECK_THAT(message({.name = "conv4"}), contains("conv4 always normalises") && contains("per_task_running"));
  CHECK_THAT(message({.name = "resnet12"}, {3, 84, 84}), contains("resnet12 always normalises"));
  CHECK_THAT(message({.batch_norm = "bath"}), contains("did you mean 'batch'"));
  CHECK_THAT(message({.name = "conv4", .batch_norm = "batch"}, {1}),
             contains("takes images") && contains("{1}"));
  CHECK_THAT(message({}, {3, 0, 4}), contains("{3, 0, 4} has no numbers"));
  CHECK_THAT(message({.name = "conv4", .downsample = "max_pool", .batch_norm = "batch"}, {1, 12, 28}),
             contains("12 x 28") && contains("16 x 16"));
  CHECK_THAT(message({.name = "resnet12", .batch_norm = "batch"}, {3, 84, 8}), contains("84 x 8"));
  CHECK_THAT(message({.name = "conv4", .downsample = "maxpool", .batch_norm = "batch"}),
             contains("did you mean 'max_pool'"));
  CHECK_THAT(message({.name = "conv4", .head = "max", .batch_norm = "batch"}),
             contains("known: mean, flatten"));
  CHECK_THAT(message({.activation = "gelu"}), contains("relu, tanh"));
  CHECK_THAT(message({.initialization = "xaver"}), contains("did you mean 'xavier'"));
  CHECK_THAT(message({.hidden = {}, .batch_norm = "batch"}), contains("without hidden layers"));
  CHECK_THAT(message({.hidden = {4, 0}}), contains("a hidden layer of 0 units"));
  CHECK_THAT(message({.batch_norm_scale = true}), contains("network.batch_norm is none"));
  CHECK_THAT(message({.filters = 32}), contains("network.filters: mlp does not know"));
  CHECK_THAT(message({.downsample = "max_pool"}), contains("network.downsample: mlp does not know"));
  CHECK_THAT(message({.name = "resnet12", .head = "flatten", .batch_norm = "batch"}, {3, 84, 84}),
             contains("network.head: resnet12 does not know"));
  CHECK_THAT(message({.name = "conv4", .hidden = {64}, .batch_norm = "batch"}),
             contains("network.hidden: conv4 does not know"));
  CHECK_THAT(message({.name = "conv4", .activation = "tanh", .batch_norm = "batch"}),
             contains("network.activation: conv4 does not know"));
  CHECK_THAT(message({.name = "resnet12", .batch_norm = "batch", .batch_norm_scale = true}, {3, 84, 84}),
             contains("it always learns a scale"));
}

}  // namespace
}  // namespace innerloop
