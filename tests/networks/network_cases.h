// Points and references for the tests of networks.
#pragma once

#include <functional>

#include "networks/network.h"
#include "tests/networks/mlp_cases.h"

namespace innerloop {

// Different parameters per task: kernels and weights of unit gain, scales around 1, shifts around 0; float64.
inline Params random_parameters(const Network& network, Stream& stream, int64_t tasks) {
  const auto like = network.initial(stream).to(torch::kFloat64).expanded(tasks);
  std::vector<torch::Tensor> values;
  for (const auto& entry : like) {
    const auto& t = entry.value;
    const bool scale =
        t.dim() == 2 && entry.name.find("norm") == 0 && entry.name.find("weight") != std::string::npos;
    double spread = 0.3;
    if (t.dim() == 3) spread = 1 / std::sqrt(static_cast<double>(t.size(2)));
    if (t.dim() == 5) spread = 1 / std::sqrt(static_cast<double>(t.size(1) * t.size(2) * t.size(3)));
    values.push_back(normal(stream, t.sizes(), spread) + (scale ? 1 : 0));
  }
  return like.with(values);
}

// One point (params, x) with a direction; c weighs the squared outputs of a loss.
struct NetworkPoint {
  NetworkPoint(const Network& network, const std::vector<int64_t>& input, int64_t tasks, int64_t samples,
               uint64_t seed = 1) {
    Stream stream(StreamKey{.seed = seed});
    params = random_parameters(network, stream, tasks);
    direction = params.map([&](const torch::Tensor& t) { return normal(stream, t.sizes()); });
    std::vector<int64_t> shape{tasks, samples};
    shape.insert(shape.end(), input.begin(), input.end());
    x = normal(stream, shape);
    c = normal(stream, {tasks, samples, network.forward(params, x).size(2)});
  }

  Params params, direction;
  torch::Tensor x, c;
};

// A network of one task in torch::nn modules: parameters [1, ...], x [N, input...] -> [N, outputs].
using OneTask = std::function<torch::Tensor(const Params& params, const torch::Tensor& x)>;

// The modules take their weights out of `params` in the graph, so that both sides differentiate in the same
// leaves: the sum of c y^2, its gradient, and its Hessian times `direction`.
inline void check_against_modules(const Network& network, const OneTask& one_task, const NetworkPoint& at) {
  const auto derivatives = [&](const std::function<torch::Tensor(const Params&)>& forward) {
    const auto leaves = at.params.as_leaves();
    const auto y = forward(leaves);
    const auto gradient = autograd_gradient((y.square() * at.c).sum(), leaves, /*create_graph=*/true);
    const auto product = autograd_gradient(dot(gradient, at.direction), leaves);
    return std::make_tuple(y.detach(), gradient.detached(), product);
  };
  const auto [y, gradient, product] =
      derivatives([&](const Params& params) { return network.forward(params, at.x); });
  const auto [y_modules, gradient_modules, product_modules] = derivatives([&](const Params& params) {
    std::vector<torch::Tensor> rows;
    for (int64_t t = 0; t < at.x.size(0); ++t) rows.push_back(one_task(params.slice(t), at.x[t]));
    return torch::stack(rows);
  });
  CHECK(error(y, y_modules) < 1e-9);
  CHECK(error(gradient, gradient_modules) < 1e-9);
  CHECK(error(product, product_modules) < 1e-9);
  CHECK(largest(y) > 0.1);
  for (const auto& entry : product) CHECK(largest(entry.value) > 1e-3);
}

}  // namespace innerloop
