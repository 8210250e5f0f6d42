// The mini-ImageNet shape, 5-way 1-shot: 4 tasks, 15 queries a class, five second-order steps.
// mini_imagenet_bench [ROUNDS] [THREADS]
#include "bench/few_shot_bench.h"

int main(int argc, char** argv) {
  using namespace innerloop;
  SupervisedMetaConfig config;
  config.inner = {.steps = 5, .step_size = 0.1, .adapt = "conv*,linear*"};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 4;
  config.shape = {.ways = 5, .shots = 1, .queries = 15};
  config.network = {.name = "conv4",
                    .batch_norm = "batch",
                    .own = {{"filters", 32}, {"downsample", "max_pool"}, {"head", "flatten"}}};
  return bench::run(
      argc, argv, "mini-ImageNet shape, 5-way 1-shot, 4 tasks, five steps", config,
      [] { return bench::random_images(3, 84); }, 1, 1, bench::conv4_megaflop(config, 3, 84));
}
