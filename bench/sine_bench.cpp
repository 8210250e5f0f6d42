// Sine regression: 25 tasks, K = 10, 1-40-40-1, one second-order step.      sine_bench [ROUNDS] [THREADS]
#include "bench/few_shot_bench.h"

int main(int argc, char** argv) {
  using namespace innerloop;
  SupervisedMetaConfig config;
  config.inner = {.steps = 1, .step_size = 0.01};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 25;
  config.shape = {.ways = 1, .shots = 10, .queries = 10};
  config.network = {.name = "mlp", .own = {{"hidden", "40,40"}}};
  // Support: forward 1, backward 2, Hessian product 6 units of 1680 multiply-adds; query 3 (layer 0's share
  // of what needs no input gradient is below 2 %).
  const double megaflop = 25 * 10 * 2 * 1680.0 * (3 + 6 + 3) / 1e6;
  return bench::run(
      argc, argv, "sine, 25 tasks, K = 10, one step", config, [] { return make_dataset({.name = "sine"}); },
      500, 3, megaflop);
}
