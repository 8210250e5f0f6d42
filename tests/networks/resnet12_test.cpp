#include "networks/resnet12.h"

#include "base/error.h"
#include "tests/networks/module_cases.h"

namespace innerloop {
namespace {

torch::Tensor resnet12_modules(const Params& params, const torch::Tensor& x) {
  const auto leaky = [](const torch::Tensor& h) {
    return torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.1))->forward(h);
  };
  const auto layer = [&](const torch::Tensor& h, int64_t n) {
    const int64_t size = n % 4 == 0 ? 1 : 3;
    return module_norm(params, concat("norm", n),
                       module_convolution(params, concat("conv", n, ".weight"), h, size, 1, size / 2));
  };
  torch::Tensor h = x;
  for (const int64_t first : {1, 5, 9, 13}) {
    const auto inner = layer(leaky(layer(leaky(layer(h, first)), first + 1)), first + 2);
    h = module_pool(leaky(inner + layer(h, first + 3)));
  }
  h = torch::nn::AdaptiveAvgPool2d(torch::nn::AdaptiveAvgPool2dOptions(1))->forward(h).flatten(1);
  return module_linear(params, "linear", h);
}

TEST_CASE("resnet12's forward, gradient and second derivative are those of torch::nn modules", "[resnet12]") {
  const ResNet12 network({.channels = 2, .height = 17, .width = 34, .filters = 2, .outputs = 3});
  for (const int64_t tasks : {1, 3}) {
    check_against_modules(network, resnet12_modules, NetworkPoint(network, {2, 17, 34}, tasks, 5));
  }
}

TEST_CASE("resnet12 has the published widths and starts xavier-uniform", "[resnet12]") {
  Stream stream(StreamKey{.seed = 7, .purpose = Purpose::kInitialParameters});
  const auto params = ResNet12({}).initial(stream);
  CHECK(params.size() == 3 * 16 + 2);
  CHECK(params.at("conv1.weight").sizes() == at::IntArrayRef({1, 3, 3, 3, 64}));
  CHECK(params.at("conv4.weight").sizes() == at::IntArrayRef({1, 1, 1, 3, 64}));
  CHECK(params.at("conv5.weight").sizes() == at::IntArrayRef({1, 3, 3, 64, 160}));
  CHECK(params.at("conv8.weight").sizes() == at::IntArrayRef({1, 1, 1, 64, 160}));
  CHECK(params.at("conv11.weight").sizes() == at::IntArrayRef({1, 3, 3, 320, 320}));
  CHECK(params.at("norm16.bias").sizes() == at::IntArrayRef({1, 640}));
  CHECK(params.at("linear.weight").sizes() == at::IntArrayRef({1, 5, 640}));
  // Weights of the four blocks' convolutions, scales and shifts, and of the head.
  int64_t count = 5 * 640 + 5, in = 3;
  for (const int64_t out : {64, 160, 320, 640}) {
    count += 9 * in * out + 2 * 9 * out * out + in * out + 8 * out;
    in = out;
  }
  CHECK(params.numel() == count);
  CHECK(count == 12424320 + 5 * 640 + 5);  // MetaOptNet's ResNet-12 has 12.4 million
  const auto& kernels = params.at("conv11.weight");
  const double bound = std::sqrt(6.0 / (2 * 9 * 320));
  CHECK(largest(kernels) <= bound);
  CHECK(kernels.square().mean().item<double>() == Approx(bound * bound / 3).epsilon(0.02));
  CHECK(torch::equal(params.at("norm7.weight"), torch::ones({1, 160})));
  CHECK(largest(params.at("norm7.bias")) == 0);
}

TEST_CASE("resnet12 refuses sizes it cannot take, naming them", "[resnet12]") {
  CHECK_THROWS_AS(ResNet12({.filters = 5}), UsageError);
  CHECK_THROWS_WITH(ResNet12({.filters = 5}), contains("5 filters") && contains("even"));
  CHECK_THROWS_WITH(ResNet12({.filters = 0}), contains("0 filters"));
  CHECK_THROWS_WITH(ResNet12({.height = 15}), contains("15 x 84") && contains("16 x 16"));
  CHECK_THROWS_WITH(ResNet12({.outputs = -1}), contains("-1 outputs"));
  CHECK_THROWS_WITH(ResNet12({.initialization = "kaiming"}), contains("unknown initialization 'kaiming'"));
  const ResNet12 network({.filters = 2});
  Stream stream(StreamKey{.seed = 1});
  CHECK_THROWS_WITH(network.forward(network.initial(stream), torch::zeros({1, 2, 1, 84, 84})),
                    contains("expected [1, N, 3, 84, 84]"));
}

}  // namespace
}  // namespace innerloop
