// Milliseconds of a core for one training episode of prototypical networks on the Omniglot shape (draw,
// features, loss, gradient, Adam): four stages of 64 filters with max-pool, in turn with LibTorch's own
// modules in the eager way (nn::Conv2d, BatchNorm2d, autograd, optim::Adam) on one thread each.
//   prototypical_bench [SHAPE] [ROUNDS] [EPISODES]     SHAPE: 60way (60-way 1-shot, 5 queries) or 5way
// CPU time, so that what else the machine does counts less. With ROUNDS = 0 ours alone, one number: to be run
// in turn with other programs.
#include <ctime>

#include "bench/few_shot_bench.h"

namespace {

using namespace innerloop;
using torch::Tensor;

double cpu_milliseconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

struct Eager {
  torch::nn::Sequential network;
  std::unique_ptr<torch::optim::Adam> adam;

  Eager() {
    int64_t in = 1;
    for (int l = 0; l < 4; ++l) {
      network->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, 64, 3).padding(1)));
      network->push_back(torch::nn::BatchNorm2d(64));
      network->push_back(torch::nn::ReLU());
      network->push_back(torch::nn::MaxPool2d(2));
      in = 64;
    }
    network->push_back(torch::nn::Flatten());
    adam = std::make_unique<torch::optim::Adam>(network->parameters(), torch::optim::AdamOptions(1e-3));
  }

  // jakesnell/prototypical-networks, protonets/models/few_shot.py: one pass of support and query together.
  void episode(const Episodes& e, int64_t ways) {
    adam->zero_grad();
    const Tensor features = network->forward(torch::cat({e.support_x[0], e.query_x[0]}));
    const int64_t supports = e.support_x.size(1);
    const Tensor means = features.narrow(0, 0, supports).view({ways, -1, features.size(1)}).mean(1);
    const Tensor distance =
        (features.narrow(0, supports, features.size(0) - supports).unsqueeze(1) - means.unsqueeze(0))
            .square()
            .sum(2);
    torch::nn::functional::cross_entropy(-distance, e.query_y[0]).backward();
    adam->step();
  }
};

int run(int argc, char** argv) try {
  keep_freed_memory();
  const std::string name = argc > 1 ? argv[1] : "60way";
  const int64_t rounds = argc > 2 ? std::atoll(argv[2]) : 5;
  if (name != "60way" && name != "5way")
    throw UsageError("shape '" + name + "' found, expected 60way or 5way");
  const int64_t ways = name == "60way" ? 60 : 5;
  const int64_t episodes = argc > 3 ? std::atoll(argv[3]) : ways == 60 ? 3 : 30;
  if (rounds < 0 || episodes < 1) throw UsageError("arguments: [SHAPE] [ROUNDS] [EPISODES], whole numbers");

  SupervisedMetaConfig config;
  config.inner.steps = 0;
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 1;
  config.shape = {.ways = ways, .shots = 1, .queries = 5};
  config.network = {
      .name = "conv4",
      .batch_norm = "batch",
      .own = {{"filters", 64}, {"downsample", "max_pool"}, {"head", "flatten"}, {"batch_norm_scale", true}}};
  ThreadPool pool(1, &Executor::prepare_thread);
  at::set_num_threads(1);
  SupervisedMetaLearner learner(config, find_algorithm("prototypical"), bench::random_images(1, 28, 64),
                                pool);
  int64_t iteration = 0;
  const auto ours = [&] {
    return cpu_milliseconds([&] {
             for (int64_t i = 0; i < episodes; ++i) learner.iterate(iteration++);
           }) /
           static_cast<double>(episodes);
  };
  ours();
  if (rounds == 0) {
    std::printf("%.3f\n", ours());
    return 0;
  }
  Eager eager;
  Episodes e = make_episodes(learner.dataset().spec(), config.shape, 1);
  const auto theirs = [&] {
    return cpu_milliseconds([&] {
             for (int64_t i = 0; i < episodes; ++i) {
               Stream stream(StreamKey{1, Purpose::kTask, static_cast<uint64_t>(i)});
               learner.dataset().draw(Split::kTrain, config.shape, stream, e, 0);
               eager.episode(e, ways);
             }
           }) /
           static_cast<double>(episodes);
  };
  theirs();
  std::vector<double> mine, other;
  for (int64_t round = 0; round < rounds; ++round) {
    mine.push_back(ours());
    other.push_back(theirs());
  }
  // A forward pass is one unit, a backward pass two, one in the first stage.
  const auto [first, others] = bench::conv4_macs(1, 28, 64, /*max_pool=*/true);
  const double megaflop = 2 * (2 * first + 3 * others) * static_cast<double>(ways * 6) / 1e6;
  const auto a = bench::spread(mine), b = bench::spread(other);
  std::printf("%s, %lld rounds; milliseconds of a core per episode, least and median\n", name.c_str(),
              static_cast<long long>(rounds));
  std::printf("%-22s %10.2f %10.2f\n", "innerloop", a.least, a.median);
  std::printf("%-22s %10.2f %10.2f   %.2f times ours\n", "LibTorch eager loop", b.least, b.median,
              b.median / a.median);
  std::printf("%.0f Mflop an episode: ours %.0f Gflop/s\n", megaflop, megaflop / a.median);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
