#include "networks/conv4.h"

#include "base/error.h"
#include "networks/batch_norm.h"
#include "networks/image_layers.h"
#include "tests/networks/module_cases.h"

namespace innerloop {
namespace {

// SAME padding (top, bottom, left, right) of a stage as the modules take it, worked out by hand.
struct Padding {
  int64_t top, bottom, left, right;
};

torch::Tensor conv4_modules(const Conv4Config& config, const std::vector<Padding>& paddings,
                            const Params& params, const torch::Tensor& x) {
  torch::Tensor h = x;
  for (size_t l = 0; l < 4; ++l) {
    const auto conv = concat("conv", l + 1, ".weight");
    if (config.max_pool) {
      h = module_convolution(params, conv, h, 3, 1, 1);
    } else {
      const auto& p = paddings[l];
      torch::nn::ZeroPad2d pad(torch::nn::ZeroPad2dOptions({p.left, p.right, p.top, p.bottom}));
      h = module_convolution(params, conv, pad->forward(h), 3, 2, 0);
    }
    h = torch::nn::ReLU()->forward(module_norm(params, concat("norm", l + 1), h));
    if (config.max_pool) h = module_pool(h);
  }
  h = config.mean_head ? h.mean({2, 3}) : h.permute({0, 2, 3, 1}).flatten(1);
  return module_linear(params, "linear", h);
}

TEST_CASE("conv4's forward, gradient and second derivative are those of torch::nn modules", "[conv4]") {
  struct Form {
    Conv4Config config;
    std::vector<Padding> paddings;
  };
  const std::vector<Padding> from_28{{0, 1, 0, 1}, {0, 1, 0, 1}, {1, 1, 1, 1}, {0, 1, 0, 1}};
  // 9 -> 5 -> 3 -> 2 -> 1 rows, 14 -> 7 -> 4 -> 2 -> 1 columns
  const std::vector<Padding> from_9_14{{1, 1, 0, 1}, {1, 1, 1, 1}, {1, 1, 0, 1}, {0, 1, 0, 1}};
  const std::vector<Form> forms{
      {{.channels = 1, .filters = 4, .outputs = 5}, from_28},
      {{.channels = 2, .height = 9, .width = 14, .filters = 3, .outputs = 4, .scale = true}, from_9_14},
      {{.channels = 3, .filters = 3, .mean_head = false, .outputs = 3}, from_28},
      {{.channels = 3,
        .height = 21,
        .width = 33,
        .filters = 3,
        .max_pool = true,
        .mean_head = false,
        .scale = true},
       {}},
      {{.channels = 1, .height = 17, .width = 16, .filters = 2, .max_pool = true}, {}},
  };
  for (const auto& [config, paddings] : forms) {
    const Conv4 network(config);
    for (const int64_t tasks : {1, 3}) {
      const NetworkPoint at(network, {config.channels, config.height, config.width}, tasks, 6);
      check_against_modules(
          network,
          [c = config, p = paddings](const Params& params, const torch::Tensor& x) {
            return conv4_modules(c, p, params, x);
          },
          at);
    }
  }
}

TEST_CASE("SAME padding is TensorFlow's", "[conv4]") {
  for (int64_t n = 1; n < 90; ++n) {
    const int64_t half = (n + 1) / 2, total = std::max<int64_t>((half - 1) * 2 + 3 - n, 0);
    const auto padding = same_padding(n);
    CHECK(padding.before == total / 2);
    CHECK(padding.before + padding.after == total);
    CHECK((n + total - 3) / 2 + 1 == half);
  }
}

TEST_CASE("conv4 knows the sizes of its stages", "[conv4]") {
  const auto heights = [](const Conv4& network) {
    std::vector<int64_t> out;
    for (const auto& size : network.sizes()) out.push_back(size.height);
    return out;
  };
  const Conv4 omniglot({.filters = 64});
  CHECK(heights(omniglot) == std::vector<int64_t>{28, 14, 7, 4, 2});
  CHECK(omniglot.feature_count() == 64);
  const Conv4 mini(
      {.channels = 3, .height = 84, .width = 84, .filters = 32, .max_pool = true, .mean_head = false});
  CHECK(heights(mini) == std::vector<int64_t>{84, 42, 21, 10, 5});
  CHECK(mini.feature_count() == 800);
}

TEST_CASE("conv4 starts as the published networks do", "[conv4]") {
  const auto draw = [](const Conv4Config& config) {
    Stream stream(StreamKey{.seed = 7, .purpose = Purpose::kInitialParameters});
    return Conv4(config).initial(stream);
  };
  // cbfinn/maml counts 64 * 3 more: it keeps the biases of the convolutions, whose gradient is zero.
  const auto params = draw({.channels = 3, .filters = 64, .outputs = 5});
  CHECK(params.names() == std::vector<std::string>{"conv1.weight", "norm1.bias", "conv2.weight", "norm2.bias",
                                                   "conv3.weight", "norm3.bias", "conv4.weight", "norm4.bias",
                                                   "linear.weight", "linear.bias"});
  CHECK(params.at("conv1.weight").sizes() == at::IntArrayRef({1, 3, 3, 3, 64}));
  CHECK(params.at("conv2.weight").sizes() == at::IntArrayRef({1, 3, 3, 64, 64}));
  CHECK(params.at("linear.weight").sizes() == at::IntArrayRef({1, 5, 64}));
  CHECK(params.dtype() == torch::kFloat32);
  const double bound = std::sqrt(6.0 / (9 * 3 + 9 * 64));
  const auto& kernels = params.at("conv1.weight");
  CHECK(largest(kernels) <= bound);
  CHECK(largest(kernels) > 0.99 * bound);
  CHECK(kernels.square().mean().item<double>() == Approx(bound * bound / 3).epsilon(0.1));
  CHECK(params.at("linear.weight").square().mean().item<double>() == Approx(1).epsilon(0.2));
  CHECK(largest(params.at("norm3.bias")) == 0);
  CHECK(largest(params.at("linear.bias")) == 0);

  const auto scaled = draw({.channels = 3, .filters = 8, .scale = true, .initialization = "xavier"});
  CHECK(scaled.name(1) == "norm1.weight");
  CHECK(torch::equal(scaled.at("norm4.weight"), torch::ones({1, 8})));
  CHECK(largest(scaled.at("linear.weight")) <= std::sqrt(6.0 / (8 + 5)));

  const auto narrow =
      draw({.filters = 64, .outputs = 40, .initialization = "truncated_normal"}).at("linear.weight");
  CHECK(largest(narrow) <= 0.02);
  CHECK(largest(narrow) > 0.019);
  // The variance of N(0, 1) truncated at 2 is 1 - 4 pdf(2) / (cdf(2) - cdf(-2)) = 0.7737.
  CHECK(narrow.square().mean().item<double>() == Approx(0.7737e-4).epsilon(0.08));
}

TEST_CASE("conv4 refuses sizes it cannot take, naming them", "[conv4]") {
  CHECK_THROWS_AS(Conv4({.filters = 0}), UsageError);
  CHECK_THROWS_WITH(Conv4({.filters = 0}), contains("0 filters and 5 outputs"));
  CHECK_THROWS_WITH(Conv4({.outputs = -1}), contains("64 filters and -1 outputs"));
  CHECK_THROWS_WITH(Conv4({.channels = 0}), contains("0 x 28 x 28"));
  CHECK_THROWS_WITH(Conv4({.height = 15, .width = 20, .max_pool = true}),
                    contains("15 x 20") && contains("16 x 16"));
  CHECK_NOTHROW(Conv4({.height = 1, .width = 1}));
  CHECK_THROWS_WITH(Conv4({.initialization = "xavir"}), contains("did you mean 'xavier'"));
  const Conv4 network({.filters = 2});
  Stream stream(StreamKey{.seed = 1});
  const auto params = network.initial(stream);
  CHECK_THROWS_WITH(network.forward(params, torch::zeros({1, 4, 28, 28})),
                    contains("expected [1, N, 1, 28, 28]"));
  CHECK_THROWS_WITH(network.forward(params, torch::zeros({2, 4, 1, 28, 28})), contains("[2, 4, 1, 28, 28]"));
}

}  // namespace
}  // namespace innerloop
