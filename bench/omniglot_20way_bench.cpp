// The Omniglot shape, 20-way 1-shot: 16 tasks, one query a class, five second-order steps.
// omniglot_20way_bench [ROUNDS] [THREADS]
#include "bench/few_shot_bench.h"

int main(int argc, char** argv) {
  using namespace innerloop;
  SupervisedMetaConfig config;
  config.inner = {.steps = 5, .step_size = 0.1, .adapt = "conv*,linear*"};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 16;
  config.shape = {.ways = 20, .shots = 1, .queries = 1};
  config.network = {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 64}}};
  return bench::run(
      argc, argv, "Omniglot shape, 20-way 1-shot, 16 tasks, five steps", config,
      [] { return bench::random_images(1, 28); }, 2, 1, bench::conv4_megaflop(config, 1, 28));
}
