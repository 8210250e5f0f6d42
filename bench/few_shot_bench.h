// Milliseconds of one supervised meta-iteration (episodes, inner loop, meta-gradient, Adam), in turn with a
// LibTorch eager loop of the same computation: one task after another through autograd with create_graph, a
// thread for operations on each core, as learn2learn and higher do it from Python.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "base/allocator.h"
#include "base/error.h"
#include "datasets/image_store.h"
#include "meta/algorithms/registry.h"
#include "meta/supervised/supervised_meta_learner.h"
#include "networks/conv4.h"

namespace innerloop::bench {

// Images of random bytes: the arithmetic does not look at them.
inline std::unique_ptr<Dataset> random_images(int64_t channels, int64_t size, int64_t classes = 40) {
  constexpr int64_t kImages = 20;
  ImageStore store{.channels = channels, .height = size, .width = size};
  store.pixels.resize(static_cast<size_t>(classes * kImages * store.image_bytes()));
  Stream stream(StreamKey{1, Purpose::kTest});
  for (auto& pixel : store.pixels) pixel = static_cast<uint8_t>(stream.below(256));
  for (auto& split : store.classes) {
    for (int64_t c = 0; c < classes; ++c) split.push_back({concat("class", c), c * kImages, kImages});
  }
  return make_image_episodes({.name = "random images"}, std::move(store), {0.5}, {0.5});
}

inline double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

struct Spread {
  double least, median;
};
inline Spread spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2]};
}

// One meta-iteration of the eager loop, up to the meta-gradient.
inline void eager_iteration(const SupervisedMetaConfig& config, const Dataset& dataset,
                            const Network& network, const Params& theta, int64_t iteration) {
  const auto& spec = dataset.spec();
  const Params leaves = theta.as_leaves();
  torch::Tensor total;
  for (int64_t t = 0; t < config.meta_batch_size; ++t) {
    Episodes e = make_episodes(spec, config.shape, 1);
    Stream stream(
        StreamKey{config.seed, Purpose::kTask, static_cast<uint64_t>(iteration), static_cast<uint64_t>(t)});
    dataset.draw(Split::kTrain, config.shape, stream, e, 0);
    const auto loss = [&](const Params& p, const torch::Tensor& x, const torch::Tensor& y) {
      const torch::Tensor out = network.forward(p, x);
      return spec.classification ? torch::nn::functional::cross_entropy(out[0], y[0])
                                 : torch::mse_loss(out, y);
    };
    Params phi = leaves;
    for (int64_t k = 0; k < config.inner.steps; ++k) {
      const auto gradient = torch::autograd::grad({loss(phi, e.support_x, e.support_y)}, phi.tensors(), {},
                                                  /*retain_graph=*/true, /*create_graph=*/true);
      std::vector<torch::Tensor> next;
      for (size_t i = 0; i < phi.size(); ++i) next.push_back(phi[i] - config.inner.step_size * gradient[i]);
      phi = phi.with(std::move(next));
    }
    const torch::Tensor query = loss(phi, e.query_x, e.query_y);
    total = t == 0 ? query : total + query;
  }
  torch::autograd::grad({total / static_cast<double>(config.meta_batch_size)}, leaves.tensors());
}

// arguments: [ROUNDS] [THREADS]; each round takes `ours` iterations of ours and `theirs` of the eager loop.
inline int run(int argc, char** argv, const char* title, const SupervisedMetaConfig& config,
               const std::function<std::unique_ptr<Dataset>()>& make, int64_t ours, int64_t theirs,
               double floor_megaflop) try {
  keep_freed_memory();
  const int64_t rounds = argc > 1 ? std::atoll(argv[1]) : 5;
  const int threads = argc > 2 ? std::atoi(argv[2]) : static_cast<int>(std::thread::hardware_concurrency());
  if (rounds < 1 || threads < 1) throw UsageError("arguments: [ROUNDS] [THREADS], whole numbers above 0");
  constexpr double kPeak = 135e9;  // float32 flop/s of one core, measured on the machine of docs/results.md
  ThreadPool pool(threads, &Executor::prepare_thread);
  SupervisedMetaLearner learner(config, find_algorithm(config.algorithm.name), make(), pool);
  const Params theta = learner.meta_parameters().cloned();
  std::vector<double> mine, eager;
  int64_t iteration = 0;
  learner.iterate(iteration++);
  for (int64_t round = 0; round < rounds; ++round) {
    mine.push_back(milliseconds([&] {
                     for (int64_t i = 0; i < ours; ++i) learner.iterate(iteration++);
                   }) /
                   static_cast<double>(ours));
    at::set_num_threads(threads);
    eager.push_back(milliseconds([&] {
                      for (int64_t i = 0; i < theirs; ++i) {
                        eager_iteration(config, learner.dataset(), learner.network(), theta, i);
                      }
                    }) /
                    static_cast<double>(theirs));
    Executor::prepare_thread();
  }
  const auto a = spread(mine), b = spread(eager);
  const double floor = floor_megaflop * 1e6 / (kPeak * threads) * 1e3;
  std::printf("%s, %d threads, %lld rounds; milliseconds per meta-iteration\n", title, threads,
              static_cast<long long>(rounds));
  std::printf("%-28s %10s %10s\n", "", "least", "median");
  std::printf("%-28s %10.3f %10.3f\n", "innerloop", a.least, a.median);
  std::printf("%-28s %10.3f %10.3f   %.1f times ours\n", "LibTorch eager loop", b.least, b.median,
              b.median / a.median);
  std::printf("%-28s %10.3f              %.1f Mflop at %.0f Gflop/s a core\n", "arithmetic floor", floor,
              floor_megaflop, kPeak / 1e9);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

// Multiply-adds of the convolutions for one image whose taps in the padding are not counted, [first stage,
// others].
inline std::pair<double, double> conv4_macs(int64_t channels, int64_t size, int64_t filters, bool max_pool) {
  double first = 0, others = 0;
  for (int l = 0; l < 4; ++l) {
    const int64_t out = max_pool ? size : (size + 1) / 2, stride = max_pool ? 1 : 2;
    const int64_t pad = max_pool ? 1 : std::max<int64_t>((out - 1) * 2 + 3 - size, 0) / 2;
    double taps = 0;  // of one axis, over all outputs
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t k = 0; k < 3; ++k) {
        const int64_t at = o * stride + k - pad;
        taps += at >= 0 && at < size ? 1 : 0;
      }
    }
    (l == 0 ? first : others) += taps * taps * static_cast<double>(channels * filters);
    channels = filters;
    size = max_pool ? out / 2 : out;
  }
  return {first, others};
}

// Flop of a meta-iteration: a forward pass is one unit, a backward pass two (one in the first stage, whose
// input needs no gradient), a Hessian-vector product six (three in the first stage: W' x, d' x^T and nothing
// carried).
inline double conv4_megaflop(const SupervisedMetaConfig& c, int64_t channels, int64_t size) {
  const auto network = make_network(c.network, {channels, size, size}, c.shape.ways);
  const auto& conv4 = dynamic_cast<const Conv4&>(*network).config();
  const auto [first, others] = conv4_macs(channels, size, conv4.filters, conv4.max_pool);
  const auto support = static_cast<double>(c.shape.ways * c.shape.shots);
  const auto query = static_cast<double>(c.shape.ways * c.shape.queries);
  const auto steps = static_cast<double>(c.inner.steps);
  const double units_first = support * steps * (2 + 2) + query * 2;
  const double units_others = support * steps * (3 + 6) + query * 3;
  return 2 * (first * units_first + others * units_others) * static_cast<double>(c.meta_batch_size) / 1e6;
}

}  // namespace innerloop::bench
