// What an MLP's derivatives cost through MlpLinearization and ComposedLoss beside LibTorch's operations and
// autograd, on one thread (OpenBLAS starts threads of its own unless told not to when it is loaded):
//   OPENBLAS_NUM_THREADS=1 mlp_bench --benchmark_min_time=0.2
// flop/s counts two per multiply-add of the matrix products that a pass needs; both sides are charged the
// same number, so the ratio of rates is that of times.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include "networks/head.h"
#include "networks/mlp_linearization.h"

namespace innerloop {
namespace {

struct Setting {
  const char* name;
  MlpConfig config;
  int64_t samples;
};

const Setting kSettings[] = {
    {"2-64-64-2 tanh, N 2000", {2, {64, 64}, 2, Activation::kTanh}, 2000},
    {"2-100-100-2 relu, N 2000", {2, {100, 100}, 2, Activation::kRelu}, 2000},
    {"20-100-100-6 relu, N 4000", {20, {100, 100}, 6, Activation::kRelu}, 4000},
};

struct Point {
  explicit Point(const Setting& setting) : mlp(setting.config) {
    torch::manual_seed(1);
    Stream stream(StreamKey{});
    params = mlp.initial(stream);
    direction = params.map([](const torch::Tensor& t) { return torch::randn_like(t); });
    x = torch::randn({1, setting.samples, setting.config.inputs});
    c = torch::randn({1, setting.samples, setting.config.outputs});
  }
  // A squared distance: one of the cheapest heads with a second derivative.
  torch::Tensor loss(const torch::Tensor& y) const { return (y - c).square().sum({1, 2}); }
  std::unique_ptr<ComposedLoss> composed() const {
    auto head =
        make_head([this](const torch::Tensor& y, const Params&) { return loss(y); }, {}, /*separable=*/true);
    return compose(std::make_unique<MlpLinearization>(mlp, params, x), std::move(head), params);
  }
  Mlp mlp;
  Params params, direction;
  torch::Tensor x, c;
};

// Multiply-adds of one forward pass, times the products of the pass per layer.
double flops(const Setting& setting, double products) {
  auto units = setting.config.hidden;
  units.insert(units.begin(), setting.config.inputs);
  units.push_back(setting.config.outputs);
  double sum = 0;
  for (size_t l = 0; l + 1 < units.size(); ++l) sum += static_cast<double>(units[l] * units[l + 1]);
  return 2 * products * sum * static_cast<double>(setting.samples);
}

template <class Body>
void measure(benchmark::State& state, const Setting& setting, double products, const Body& body) {
  at::set_num_threads(1);
  for (auto _ : state) body();
  state.counters["flop/s"] =
      benchmark::Counter(flops(setting, products), benchmark::Counter::kIsIterationInvariantRate);
}

template <class Body>
void add(const std::string& what, const Setting& setting, double products, const Body& body) {
  benchmark::RegisterBenchmark((what + "/" + setting.name).c_str(), [&setting, products,
                                                                     body](benchmark::State& state) {
    const Point at(setting);
    body(state, setting, products, at);
  })->Unit(benchmark::kMicrosecond);
}

std::vector<torch::Tensor> gradient(const torch::Tensor& loss, const Params& leaves, bool create_graph) {
  return torch::autograd::grad({loss.sum()}, leaves.tensors(), {}, create_graph, create_graph);
}

void add_setting(const Setting& setting) {
  using Benchmark = benchmark::State;
  add("forward/innerloop", setting, 1, [](Benchmark& state, const Setting& s, double n, const Point& at) {
    measure(state, s, n, [&] { benchmark::DoNotOptimize(mlp_output(at.mlp, at.params, at.x)); });
  });
  add("forward/torch", setting, 1, [](Benchmark& state, const Setting& s, double n, const Point& at) {
    const at::NoGradGuard no_graph;
    measure(state, s, n, [&] { benchmark::DoNotOptimize(at.mlp.forward(at.params, at.x)); });
  });
  add("gradient/innerloop", setting, 3, [](Benchmark& state, const Setting& s, double n, const Point& at) {
    measure(state, s, n, [&] {
      auto result = at.composed()->gradient();
      benchmark::DoNotOptimize(result);
    });
  });
  add("gradient/torch", setting, 3, [](Benchmark& state, const Setting& s, double n, const Point& at) {
    const auto leaves = at.params.as_leaves();
    measure(state, s, n, [&] {
      benchmark::DoNotOptimize(gradient(at.loss(at.mlp.forward(leaves, at.x)), leaves, false));
    });
  });
  add("pullback/innerloop", setting, 2, [](Benchmark& state, const Setting& s, double n, const Point& at) {
    MlpLinearization here(at.mlp, at.params, at.x);
    measure(state, s, n, [&] { benchmark::DoNotOptimize(here.pullback(at.c)); });
  });
  add("pushforward/innerloop", setting, 2, [](Benchmark& state, const Setting& s, double n, const Point& at) {
    MlpLinearization here(at.mlp, at.params, at.x);
    measure(state, s, n, [&] { benchmark::DoNotOptimize(here.pushforward(at.direction)); });
  });
  add("hessian_product/innerloop", setting, 6,
      [](Benchmark& state, const Setting& s, double n, const Point& at) {
        const auto objective = at.composed();
        // A direction of its own each time, as conjugate gradient has, so that no tangent is used again.
        const auto other = at.direction.cloned();
        bool odd = false;
        measure(state, s, n, [&] {
          benchmark::DoNotOptimize(objective->hessian_product((odd = !odd) ? other : at.direction));
        });
      });
  add("hessian_product/torch", setting, 6, [](Benchmark& state, const Setting& s, double n, const Point& at) {
    const auto leaves = at.params.as_leaves();
    // The graph of the gradient is built once, as MlpLinearization keeps its activations.
    const auto slopes = gradient(at.loss(at.mlp.forward(leaves, at.x)), leaves, true);
    measure(state, s, n, [&] {
      benchmark::DoNotOptimize(
          torch::autograd::grad(slopes, leaves.tensors(), at.direction.tensors(), true, false, true));
    });
  });
  add("gauss_newton/innerloop", setting, 4,
      [](Benchmark& state, const Setting& s, double n, const Point& at) {
        const auto objective = at.composed();
        measure(state, s, n,
                [&] { benchmark::DoNotOptimize(objective->gauss_newton_product(at.direction)); });
      });
}

}  // namespace
}  // namespace innerloop

int main(int argc, char** argv) {
  for (const auto& setting : innerloop::kSettings) innerloop::add_setting(setting);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
