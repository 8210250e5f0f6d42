#include "networks/koch.h"

#include <torch/torch.h>

#include "base/error.h"
#include "tests/networks/network_cases.h"

namespace innerloop {
namespace {

namespace f = torch::nn::functional;
using torch::Tensor;

Params koch_weights(const KochConfig& config) {
  Stream stream(StreamKey{.seed = 3});
  return Koch(config).initial(stream);
}

TEST_CASE("koch: 105 x 105 pixels become 6 x 6 of 256, and all weights are 38,951,745 with one output",
          "[networks]") {
  const Koch paper({.outputs = 1});
  Stream stream(StreamKey{.seed = 1});
  const Params p = paper.initial(stream);
  CHECK(p.at("units.weight").sizes() == at::IntArrayRef({1, 4096, 9216}));
  // 64 (100 + 1) + 128 (49 64 + 1) + 128 (16 128 + 1) + 256 (16 128 + 1) + 4096 (9216 + 1) + 4097
  CHECK(p.numel() == 38'951'745);
  CHECK(paper.size().parameters == 38'951'745);
  const torch::NoGradGuard no_graph;
  const Koch convolutions({.divisor = 16, .units = 0, .outputs = 0});
  CHECK(
      convolutions
          .forward(koch_weights({.divisor = 16, .units = 0, .outputs = 0}), torch::rand({1, 2, 1, 105, 105}))
          .sizes() == at::IntArrayRef({1, 2, 16 * 6 * 6}));
}

TEST_CASE("koch: weights begin as the paper's", "[networks]") {
  const Params p = koch_weights({.units = 300, .outputs = 0});
  const auto near = [&](const char* name, double mean, double spread) {
    INFO(name);
    const Tensor& value = p.at(name);
    CHECK(value.mean().item<double>() == Approx(mean).margin(spread / 3));
    CHECK(value.std().item<double>() == Approx(spread).epsilon(0.3));
  };
  near("conv1.weight", 0, 0.01);
  near("conv4.weight", 0, 0.01);
  near("units.weight", 0, 0.2);
  near("conv1.bias", 0.5, 0.01);
  near("units.bias", 0.5, 0.01);
}

TEST_CASE("koch: values and derivatives are those of LibTorch's modules", "[networks]") {
  const KochConfig config{.channels = 2, .height = 66, .width = 65, .divisor = 64, .units = 4, .outputs = 3};
  const Koch network(config);
  const NetworkPoint at(network, {2, 66, 65}, 2, 2);
  const auto modules = [](const Params& p, const Tensor& x) {
    Tensor h = x;
    for (int64_t l = 1; l <= 4; ++l) {
      const auto kernels = p.at(concat("conv", l, ".weight"))[0].permute({3, 2, 0, 1});
      h = torch::relu(
          f::conv2d(h, kernels, f::Conv2dFuncOptions().bias(p.at(concat("conv", l, ".bias"))[0])));
      if (l < 4) h = f::max_pool2d(h, f::MaxPool2dFuncOptions(2));
    }
    h = torch::sigmoid(f::linear(h.flatten(1), p.at("units.weight")[0], p.at("units.bias")[0]));
    return f::linear(h, p.at("linear.weight")[0], p.at("linear.bias")[0]);
  };
  check_against_modules(network, modules, at);
}

TEST_CASE("koch: sizes that vanish are refused, the smallest is not", "[networks]") {
  CHECK_THROWS_WITH(Koch({.height = 64}), contains("64 x 105") && contains("the smallest is 65 x 65"));
  CHECK_THROWS_WITH(Koch({.divisor = 48}), contains("divided by 48"));
  const KochConfig small{.height = 65, .width = 65, .divisor = 64, .units = 0, .outputs = 0};
  const torch::NoGradGuard no_graph;
  CHECK(Koch(small).forward(koch_weights(small), torch::rand({1, 1, 1, 65, 65})).size(2) == 4);
}

}  // namespace
}  // namespace innerloop
