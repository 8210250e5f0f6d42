// The Omniglot shape, 5-way 1-shot: 32 tasks, one query a class, one second-order step. omniglot_5way_bench
// [ROUNDS] [THREADS]
#include "bench/few_shot_bench.h"

int main(int argc, char** argv) {
  using namespace innerloop;
  SupervisedMetaConfig config;
  config.inner = {.steps = 1, .step_size = 0.1, .adapt = "conv*,linear*"};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 32;
  config.shape = {.ways = 5, .shots = 1, .queries = 1};
  config.network = {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 64}}};
  return bench::run(
      argc, argv, "Omniglot shape, 5-way 1-shot, 32 tasks, one step", config,
      [] { return bench::random_images(1, 28); }, 5, 1, bench::conv4_megaflop(config, 1, 28));
}
