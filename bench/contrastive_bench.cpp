// What random views cost: microseconds of a view by each setting alone and by all, and their share of a
// meta-iteration of `contrastive` with conv4 of 64 filters, on one thread.
//   contrastive_bench [ROUNDS] [IMAGES]      medians over rounds; IMAGES of a mini-batch, 128 by default
#include "bench/few_shot_bench.h"
#include "datasets/augmentation.h"

namespace {

using namespace innerloop;

struct Setting {
  const char* name;
  AugmentationConfig config;
};

void bench_views(const DatasetSpec& spec, const std::vector<Setting>& settings, int64_t rounds) {
  constexpr int64_t kViews = 200;
  for (const auto& [name, config] : settings) {
    const Augmentation augmentation(config, spec, "contrastive");
    std::vector<float> image(static_cast<size_t>(augmentation.image_size()), 0.25F), view(image.size());
    std::vector<double> times;
    for (int64_t round = 0; round < rounds; ++round) {
      times.push_back(bench::milliseconds([&] {
        for (int64_t i = 0; i < kViews; ++i) {
          Stream stream(StreamKey{1, Purpose::kAugmentation, 0, static_cast<uint64_t>(i)});
          augmentation.draw(image.data(), stream, view.data());
        }
      }));
    }
    std::printf("  %-8s %8.1f us a view\n", name, 1000 * bench::spread(times).median / kViews);
  }
}

void bench_iteration(int64_t channels, int64_t size, int64_t images, int64_t rounds, Texts own) {
  own.set("images", concat(images));
  SupervisedMetaConfig config;
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.inner = {.steps = 0};
  config.meta_batch_size = 1;
  config.shape = {.ways = 5, .shots = 1, .queries = 5};
  config.network = {.name = "conv4",
                    .batch_norm = "batch",
                    .own = {{"filters", 64}, {"downsample", "max_pool"}, {"head", "flatten"}}};
  config.algorithm = {"contrastive", own};
  ThreadPool pool(1, &Executor::prepare_thread);
  SupervisedMetaLearner learner(config, find_algorithm("contrastive"), bench::random_images(channels, size),
                                pool);
  const TaskSource source(learner.dataset(), config.shape, config.seed);
  std::vector<double> whole, drawing;
  for (int64_t i = 0; i < rounds; ++i) {
    whole.push_back(bench::milliseconds([&] { learner.iterate(i); }));
    drawing.push_back(bench::milliseconds([&] { learner.method().draw(source, {.iteration = i}, 1); }));
  }
  const double all = bench::spread(whole).median, views = bench::spread(drawing).median;
  std::printf("  %lld images: %.1f ms a meta-iteration, of which %.1f ms (%.1f %%) draw images and views\n",
              static_cast<long long>(images), all, views, 100 * views / all);
}

}  // namespace

int main(int argc, char** argv) try {
  keep_freed_memory();
  const int64_t rounds = argc > 1 ? std::atoll(argv[1]) : 5, images = argc > 2 ? std::atoll(argv[2]) : 128;
  if (rounds < 1 || images < 2) throw UsageError("arguments: [ROUNDS] [IMAGES], at least 1 and 2");
  constexpr AugmentationConfig kNone{.crop_least = 1, .crop_most = 1, .flip = 0};
  const auto with = [&](auto change) {
    AugmentationConfig config = kNone;
    change(config);
    return config;
  };
  std::vector<Setting> settings{{"nothing", kNone},
                                {"crop", with([](auto& c) { c.crop_least = 0.08; })},
                                {"flip", with([](auto& c) { c.flip = 1; })},
                                {"jitter", with([](auto& c) { c.jitter = 1; })},
                                {"blur", with([](auto& c) { c.blur = 1; })}};
  std::printf("Omniglot shape, 1 x 28 x 28\n");
  bench_views(bench::random_images(1, 28)->spec(), settings, rounds);
  bench_iteration(1, 28, images, rounds, {{"flip", 0}});
  settings.push_back({"grey", with([](auto& c) { c.grey = 1; })});
  settings.push_back({"all", {.jitter = 0.8, .grey = 0.2, .blur = 0.5}});
  std::printf("mini-ImageNet shape, 3 x 84 x 84\n");
  bench_views(bench::random_images(3, 84)->spec(), settings, rounds);
  bench_iteration(3, 84, images, rounds, {{"jitter", 0.8}, {"grey", 0.2}, {"blur", 0.5}});
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "contrastive_bench: %s\n", error.what());
  return 1;
}
