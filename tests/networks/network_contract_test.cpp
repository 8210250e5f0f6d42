#include <algorithm>

#include "base/error.h"
#include "networks/network.h"
#include "networks/tensors/gradient_check.h"
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
        {{.name = name, .own = {{"hidden", "7,5"}}}, {4}},
        {{.name = name, .own = {{"hidden", "7,5"}, {"activation", "tanh"}}}, {1, 2, 2}},
        {{.name = name, .batch_norm = "batch", .own = {{"hidden", "7,5"}}}, {4}},
        {{.name = name,
          .batch_norm = "batch",
          .own = {{"hidden", "6"}, {"activation", "tanh"}, {"batch_norm_scale", true}}},
         {4}},
    };
  }
  if (name == "conv4") {
    return {
        {{.name = name, .batch_norm = "batch", .own = {{"filters", 3}}}, {1, 28, 28}},
        {{.name = name,
          .batch_norm = "per_task_running",
          .own =
              {{"filters", 2}, {"downsample", "max_pool"}, {"head", "flatten"}, {"batch_norm_scale", true}}},
         {3, 35, 16}},
    };
  }
  if (name == "koch") {
    // Few kernels: of a hundred thousand rectified units some would pass their kink between two differences.
    return {{{.name = name, .own = {{"divisor", 32}, {"units", 5}}}, {2, 66, 65}},
            {{.name = name, .own = {{"divisor", 32}, {"units", 0}}}, {2, 65, 67}}};
  }
  return {{{.name = name, .batch_norm = "global_running", .own = {{"filters", 2}}}, {2, 16, 20}}};
}

std::vector<ContractCase> all_cases() {
  std::vector<ContractCase> all;
  for (const auto& network : networks()) {
    for (const auto& one : cases_of(network.name)) all.push_back(one);
  }
  return all;
}

using torch::Tensor;

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
    CHECK(network->size().parameters == static_cast<double>(draw(1).numel()));
    CHECK(make_network(config, input, 0)->size().parameters < network->size().parameters);
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
    const auto names = network->head_names();
    REQUIRE(names.size() == 2);
    const auto weight = at.params.at(names[0]), bias = at.params.at(names[1]);
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

TEST_CASE("every network: statistics are named and shaped as a pass finds them", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 1, kSamples);
    const Params statistics = network->statistics();
    Params found;
    network->forward(at.params.to(torch::kFloat32), at.x.to(torch::kFloat32), {.found = &found});
    CHECK_NOTHROW(check_fits(statistics, found, "statistics"));
    for (const auto& entry : statistics) {
      const double value = entry.name.find("variance") == std::string::npos ? 0 : 1;
      CHECK(largest(entry.value - value) == 0);
    }
  }
}

TEST_CASE("every network: a pass shows its layers in their order, and what it is given back goes on",
          "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 2, kSamples);
    std::vector<int64_t> seen;
    Tensor last;
    const Pass looks{.hidden = [&](int64_t layer, const Tensor& h) {
      seen.push_back(layer);
      CHECK(h.size(0) == 2);
      CHECK(h.size(1) == kSamples);
      return last = h;
    }};
    const auto y = network->forward(at.params, at.x);
    CHECK(network->forward(at.params, at.x, looks).equal(y));
    REQUIRE(!seen.empty());
    for (size_t l = 0; l < seen.size(); ++l) CHECK(seen[l] == static_cast<int64_t>(l) + 1);
    const auto layers = static_cast<int64_t>(seen.size());
    CHECK(error(network->output(at.params, at.x, looks), y) < 1e-12);
    // A change at any layer reaches the output, and the loss with its derivatives.
    const auto loss = OutputLoss::squared_error(at.c, 0.5);
    for (int64_t layer = 1; layer <= layers; ++layer) {
      const Pass halves{.hidden = [&](int64_t l, const Tensor& h) { return l == layer ? 0.5 * h + 0.1 : h; }};
      const auto changed = network->forward(at.params, at.x, halves);
      CHECK(error(changed, y) > 1e-4);
      CHECK(error(network->output(at.params, at.x, halves), changed) < 1e-12);
      const auto point = network->loss_at(at.params, at.x, loss, halves);
      CHECK(error(point->loss(), loss(changed)) < 1e-12);
      const auto reference =
          autograd_loss([&](const Params& p) { return loss(network->forward(p, at.x, halves)); }, at.params);
      CHECK(error(point->gradient(), reference->gradient()) < 1e-12);
    }
  }
}

TEST_CASE("every network: the entries of a layer change what it hands on and nothing before it",
          "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 2, kSamples);
    const auto handed_on = [&](const Params& params) {
      std::vector<Tensor> out;
      network->forward(params, at.x, {.hidden = [&](int64_t, const Tensor& h) {
                         out.push_back(h);
                         return h;
                       }});
      return out;
    };
    const auto before = handed_on(at.params);
    const auto layers = network->layer_names();
    REQUIRE(layers.size() == before.size());
    std::vector<std::string> names = network->head_names();
    for (size_t l = 0; l < layers.size(); ++l) {
      for (const auto& name : layers[l]) {
        INFO(name);
        names.push_back(name);
        std::vector<Tensor> values = at.params.tensors();
        for (size_t i = 0; i < values.size(); ++i) {
          // Noise: a common factor or shift vanishes in a normalisation that follows.
          if (at.params.name(i) == name) values[i] = values[i] + 0.5 * torch::sin(values[i] * 7 + 1) + 0.3;
        }
        const auto after = handed_on(at.params.with(std::move(values)));
        for (size_t k = 0; k < l; ++k) CHECK(after[k].equal(before[k]));
        CHECK(error(after[l], before[l]) > 1e-4);
      }
    }
    std::vector<std::string> all = at.params.names();
    std::sort(all.begin(), all.end());
    std::sort(names.begin(), names.end());
    CHECK(names == all);
  }
}

TEST_CASE("every network: a loss with statistics given is autograd's", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    if (!network->normalises()) continue;
    const NetworkPoint at(*network, input, 2, kSamples);
    const auto loss = OutputLoss::squared_error(at.c, 0.5);
    const Params statistics = network->statistics().to(torch::kFloat64);
    const auto point = network->loss_at(at.params, at.x, loss, {.use = &statistics});
    CHECK(error(point->loss(), loss(network->forward(at.params, at.x, {.use = &statistics}))) < 1e-12);
    CHECK(error(point->loss(), network->loss_at(at.params, at.x, loss)->loss()) > 1e-3);
    Params found;
    network->loss_at(at.params, at.x, loss, {.found = &found});
    CHECK(same_names(found, statistics));
  }
}

TEST_CASE("every network: kernels and autograd linearize it alike, and Gauss-Newton is J^T (d2 head) J",
          "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 2, kSamples);
    const auto reference = autograd_linearization(*network, at.params, at.x);
    const auto kernels = network->at(at.params, at.x);
    const auto moved = reference->pushforward(at.direction);
    const auto back = reference->pullback(at.c);
    const auto second = reference->pullback_tangent(at.direction, at.c, moved);
    // <c, J v> = <J^T c, v>
    CHECK(error((at.c * moved).sum(), dot(back, at.direction)) < 1e-10);
    CHECK(largest(moved) > 1e-2);
    CHECK(dot(second, second).item<double>() > 1e-3);
    const auto loss = std::make_shared<OutputLoss>(OutputLoss::squared_error(at.c, 0.5));
    const auto expected = reference->pullback(moved);  // d2 loss = 2 w = 1
    CHECK(error(compose(autograd_linearization(*network, at.params, at.x), loss, at.params)
                    ->gauss_newton_product(at.direction),
                expected) < 1e-10);
    if (!kernels) continue;
    CHECK(error(kernels->output(), reference->output()) < 1e-12);
    CHECK(error(kernels->pushforward(at.direction), moved) < 1e-10);
    CHECK(error(kernels->pullback(at.c), back) < 1e-10);
    CHECK(error(kernels->pullback_tangent(at.direction, at.c, moved), second) < 1e-9);
    CHECK(error(network->loss_at(at.params, at.x, loss)->gradient(),
                autograd_loss([&](const Params& p) { return (*loss)(network->forward(p, at.x)); }, at.params)
                    ->gradient()) < 1e-9);
  }
}

TEST_CASE("every network: where kernels do not fit, a loss is autograd's", "[contract]") {
  for (const auto& [config, input] : all_cases()) {
    INFO(config.name);
    const auto network = make_network(config, input, kOutputs);
    const NetworkPoint at(*network, input, 1, kSamples);
    const auto params = at.params.to(torch::kBFloat16);
    const auto x = at.x.to(torch::kBFloat16);
    CHECK(network->at(params, x) == nullptr);
    const auto loss = OutputLoss::squared_error(at.c.to(torch::kBFloat16), 0.5);
    const auto point = network->loss_at(params, x, loss);
    CHECK(point->loss().scalar_type() == torch::kBFloat16);
    CHECK(point->gradient().dtype() == torch::kBFloat16);
    CHECK(network->output(params, x).scalar_type() == torch::kBFloat16);
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

  const auto mlp = draw({.initialization = "truncated_normal", .own = {{"hidden", "7,6"}}}, {2, 3, 4});
  CHECK(shape(mlp, "layer0.weight") == Shape{1, 7, 24});
  CHECK(shape(mlp, "layer2.weight") == Shape{1, 5, 6});
  CHECK(largest(mlp.at("layer0.weight")) <= 0.02);
  CHECK(!draw({.batch_norm = "batch"}, {3}).contains("norm0.weight"));
  CHECK(draw({.batch_norm = "batch", .own = {{"batch_norm_scale", true}}}, {3}).contains("norm0.weight"));
  const auto x = torch::full({1, 2, 3}, 50.0);
  const auto params = draw({.own = {{"hidden", "4"}}}, {3});
  CHECK(largest(
            make_network({.own = {{"hidden", "4"}, {"activation", "tanh"}}}, {3}, 5)->features(params, x)) <=
        1);
  CHECK(
      largest(make_network({.own = {{"hidden", "4"}, {"activation", "relu"}}}, {3}, 5)->features(params, x)) >
      1);

  const auto conv4 = draw({.name = "conv4", .batch_norm = "batch", .own = {{"filters", 6}}}, {3, 33, 20});
  CHECK(shape(conv4, "conv1.weight") == Shape{1, 3, 3, 3, 6});
  CHECK(shape(conv4, "linear.weight") == Shape{1, 5, 6});
  CHECK(!conv4.contains("norm1.weight"));
  NetworkConfig config{.name = "conv4",
                       .batch_norm = "batch",
                       .own = {{"filters", 6}, {"head", "flatten"}, {"batch_norm_scale", true}}};
  CHECK(shape(draw(config, {3, 33, 20}), "linear.weight") == Shape{1, 5, 3 * 2 * 6});
  CHECK(draw(config, {3, 33, 20}).contains("norm1.weight"));
  config.own.set("downsample", "max_pool");
  CHECK(shape(draw(config, {3, 33, 20}), "linear.weight") == Shape{1, 5, 2 * 1 * 6});
  CHECK(largest(draw(config, {3, 33, 20}).at("linear.weight")) < 1);
  config.initialization = "normal";
  CHECK(largest(draw(config, {3, 33, 20}).at("linear.weight")) > 1);

  NetworkConfig residual{.name = "resnet12", .batch_norm = "batch", .own = {{"filters", 4}}};
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
  CHECK(networks().size() == 4);
  CHECK(message({}) == "");
  CHECK(message({.name = "conv4", .batch_norm = "batch"}) == "");
  CHECK_THAT(message({.name = "conv5"}), contains("did you mean 'conv4'"));
  CHECK_THAT(message({.name = "conv4"}), contains("conv4 always normalises") && contains("per_task_running"));
  CHECK_THAT(message({.name = "resnet12"}, {3, 84, 84}), contains("resnet12 always normalises"));
  CHECK_THAT(message({.batch_norm = "bath"}), contains("did you mean 'batch'"));
  CHECK_THAT(message({.name = "conv4", .batch_norm = "batch"}, {1}),
             contains("takes images") && contains("{1}"));
  CHECK_THAT(message({}, {3, 0, 4}), contains("{3, 0, 4} has no numbers"));
  CHECK_THAT(
      message({.name = "conv4", .batch_norm = "batch", .own = {{"downsample", "max_pool"}}}, {1, 12, 28}),
      contains("12 x 28") && contains("16 x 16"));
  CHECK_THAT(message({.name = "resnet12", .batch_norm = "batch"}, {3, 84, 8}), contains("84 x 8"));
  CHECK_THAT(message({.name = "conv4", .batch_norm = "batch", .own = {{"downsample", "maxpool"}}}),
             contains("did you mean 'max_pool'"));
  CHECK_THAT(message({.name = "conv4", .batch_norm = "batch", .own = {{"head", "max"}}}),
             contains("one of mean, flatten"));
  CHECK_THAT(message({.own = {{"activation", "gelu"}}}), contains("relu, tanh"));
  CHECK_THAT(message({.name = "koch"}, {1, 64, 105}), contains("64 x 105") && contains("65 x 65"));
  CHECK_THAT(message({.name = "koch", .batch_norm = "batch"}, {1, 105, 105}),
             contains("nothing that normalises"));
  CHECK_THAT(message({.name = "koch", .own = {{"divisor", 3}}}, {1, 105, 105}), contains("divided by 3"));
  CHECK_THAT(message({.initialization = "xaver"}), contains("did you mean 'xavier'"));
  CHECK_THAT(message({.batch_norm = "batch", .own = {{"hidden", "none"}}}),
             contains("without hidden layers"));
  CHECK_THAT(message({.own = {{"hidden", "4,0"}}}), contains("whole numbers from 1"));
  CHECK_THAT(message({.own = {{"batch_norm_scale", true}}}), contains("network.batch_norm is none"));
  CHECK_THAT(message({.own = {{"filters", 32}}}), contains("network.filters: network mlp does not know"));
  CHECK_THAT(message({.own = {{"downsample", "max_pool"}}}),
             contains("network.downsample: network mlp does not know"));
  CHECK_THAT(message({.name = "resnet12", .batch_norm = "batch", .own = {{"head", "flatten"}}}, {3, 84, 84}),
             contains("network.head: network resnet12 does not know"));
  CHECK_THAT(message({.name = "conv4", .batch_norm = "batch", .own = {{"hidden", "64"}}}),
             contains("network.hidden: network conv4 does not know"));
  CHECK_THAT(message({.name = "conv4", .batch_norm = "batch", .own = {{"activation", "tanh"}}}),
             contains("network.activation: network conv4 does not know"));
  CHECK_THAT(
      message({.name = "resnet12", .batch_norm = "batch", .own = {{"batch_norm_scale", true}}}, {3, 84, 84}),
      contains("network resnet12 does not know"));
}

}  // namespace
TEST_CASE("a network without outputs gives its features, with their derivatives", "[networks][contract]") {
  struct Case {
    NetworkConfig config;
    std::vector<int64_t> input;
  };
  const Case c = GENERATE(Case{{.name = "mlp"}, {3}}, Case{{.name = "mlp", .batch_norm = "batch"}, {3}},
                          Case{{.name = "conv4", .batch_norm = "batch"}, {2, 9, 9}},
                          Case{{.name = "resnet12", .batch_norm = "batch"}, {1, 16, 16}});
  INFO(c.config.name);
  const auto whole = make_network(c.config, c.input, 3), body = make_network(c.config, c.input, 0);
  Stream one(StreamKey{2, Purpose::kTest}), two(StreamKey{2, Purpose::kTest});
  const Params params = whole->initial(one), part = body->initial(two);
  CHECK(body->head_names().empty());
  CHECK(part.size() == params.size() - 2);
  CHECK(identical(part, params.first(part.size())));
  std::vector<int64_t> shape{2, 4};
  shape.insert(shape.end(), c.input.begin(), c.input.end());
  torch::manual_seed(1);  // four numbers may lie so close that normalising them leaves little but rounding
  const auto x = torch::rand(shape);
  const Params twice = part.expanded(2);
  const auto features = whole->features(params.expanded(2), x);
  CHECK(torch::allclose(body->forward(twice, x), features));
  CHECK(torch::allclose(body->output(twice, x), features, 1e-4, 1e-5));

  const auto head = make_head([](const torch::Tensor& y, const Params&) { return y.square().sum({1, 2}); });
  const Params at = twice.to(torch::kFloat64);
  const auto loss = body->loss_at(at, x.to(torch::kFloat64), head);
  const auto reference = autograd_loss(
      [&](const Params& p) {
        return body->forward(p, x.to(torch::kFloat64)).square().sum({1, 2});
      },
      at);
  CHECK(distance(loss->gradient(), reference->gradient()) < 1e-9 * largest(reference->gradient()));
  const Params v = normal_like(at, 3);
  const Params product = reference->hessian_product(v);
  CHECK(distance(loss->hessian_product(v), product) < 1e-8 * largest(product));
  CHECK(largest(product) > 0);
}

}  // namespace innerloop
